import { readFile } from 'node:fs/promises'
import test from 'ava'
import * as jsqr from 'jsqr'
import type { Browser, Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { startLab, type Lab } from '#lab/lab.ts'
import { accessibilityFaults, laptopScreen, openBrowser, phoneScreen } from './browser.ts'

const MB = 1_048_576

// Its types promise a module with a default; what Node gets is the function itself, which has that too.
const readCode = (jsqr.default as unknown as { default: typeof jsqr.default.default }).default

let lab: Lab
test.before(async () => {
  lab = await startLab({ prefix: 'kweb3', phones: 4, remotes: 1 })
})
test.after.always(() => lab?.stop())

async function admin<T>(path: string, body: unknown, method = 'POST'): Promise<T> {
  const headers = { authorization: `Bearer ${lab.admin.apiKey}`, 'content-type': 'application/json' }
  const answer = await fetch(`${lab.url}/api/admin/${path}`, { method, headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

async function vouchers(name: string, terms: object, count = 1): Promise<string[]> {
  const made = await admin<{ package: { id: number } }>('packages', { name, durationSeconds: 3600, priceMinor: 0, ...terms })
  return (await admin<{ codes: string[] }>('vouchers', { packageId: made.package.id, count })).codes
}

/** Signs a device in, as the portal does, and opens its session's page. */
async function openSession(browser: Browser, code: string, viewport = phoneScreen): Promise<Page> {
  const page = await browser.newPage({ viewport })
  await page.goto(`http://${lab.portalHost}/v#${code}`)
  await page.getByRole('button', { name: 'Connect' }).click()
  await page.waitForURL('**/connected')
  await page.getByRole('heading', { name: 'KSWiFi Connect', exact: true }).waitFor()
  return page
}

/** What a camera reads from the screen. */
async function scan(page: Page): Promise<string> {
  const picture = PNG.sync.read(await page.getByRole('img', { name: 'Connect QR code' }).screenshot())
  return readCode(new Uint8ClampedArray(picture.data), picture.width, picture.height)?.data ?? ''
}

async function words(page: Page): Promise<string> {
  return (await page.locator('body').innerText()).toLowerCase()
}

const keyIn = (profile: string) => /^PrivateKey = (\S{44})$/m.exec(profile)?.[1]
const setup = (page: Page) => page.getByRole('heading', { name: 'KSWiFi Connect Setup' })

test.serial('a customer makes a profile: the code on the screen and the saved file are the same, shown once', async (t) => {
  const browser = await openBrowser(lab.phones[0]!.namespace)
  try {
    const [code] = (await vouchers('Two devices', { dataLimit: 100 * MB, maxDevices: 2 })) as [string]
    const page = await openSession(browser, code)
    t.deepEqual(await accessibilityFaults(page), [], 'session')
    await page.getByRole('button', { name: 'Generate Connect Code' }).click()
    await setup(page).waitFor()
    t.is(await page.evaluate('document.activeElement.textContent'), 'KSWiFi Connect Setup', 'the heading has the focus')
    t.deepEqual(await accessibilityFaults(page), [], 'setup')

    const scanned = await scan(page)
    const saving = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Save the profile' }).click()
    const saved = await readFile(await (await saving).path(), 'utf8')
    t.truthy(keyIn(scanned), scanned)
    t.is(keyIn(saved), keyIn(scanned))

    for (const [tab, hint] of Object.entries({ iPhone: 'App Store', Linux: 'wg-quick', Android: 'Play Store' })) {
      await page.getByRole('tab', { name: tab }).click()
      t.true((await page.getByRole('tabpanel').innerText()).includes(hint), tab)
      t.notRegex(await words(page), /\bvpn\b|esim/)
    }

    await page.goBack()
    const row = page.getByRole('list', { name: 'Profiles' }).getByRole('listitem')
    await row.getByText('Not used yet').waitFor()
    await page.getByText('of 100 MB used').first().waitFor()
    t.notRegex(await words(page), /\bvpn\b|esim/)
    await page.goForward()
    await row.waitFor()
    t.is(await page.getByRole('img', { name: 'Connect QR code' }).count(), 0, 'the key is shown once')

    await row.getByRole('button', { name: 'Rename' }).click()
    await page.getByRole('textbox', { name: 'Name of this profile' }).fill('Laptop')
    await page.getByRole('button', { name: 'Save' }).click()
    await row.getByText('Laptop', { exact: true }).first().waitFor()

    await row.getByRole('button', { name: 'Make a new one' }).click()
    await page.getByText('Every copy of the old one is useless').waitFor()
    t.deepEqual(await accessibilityFaults(page), [], 'asked back')
    await page.getByRole('button', { name: 'Make it' }).click()
    await setup(page).waitFor()
    t.not(keyIn(await scan(page)), keyIn(scanned), 'a new key')
    await page.getByRole('button', { name: 'Done' }).click()

    await row.getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('button', { name: 'Yes, remove' }).click()
    await row.waitFor({ state: 'detached' })
    await page.reload()
    await page.getByRole('button', { name: 'Generate Connect Code' }).waitFor()
    t.is(await row.count(), 0, 'the box has forgotten it, too')
  } finally {
    await browser.close()
  }
})

test.serial('a link opens the profile on another device, once, and only when its button is pressed', async (t) => {
  const [, second, third] = lab.phones
  const [one, other] = await Promise.all([openBrowser(second!.namespace), openBrowser(third!.namespace)])
  try {
    const [code] = (await vouchers('Moves', { dataLimit: 100 * MB })) as [string]
    const page = await openSession(one, code, laptopScreen)
    await page.getByRole('button', { name: 'Generate Connect Code' }).click()
    await setup(page).waitFor()
    t.deepEqual(await accessibilityFaults(page), [], 'setup on a laptop')
    const first = keyIn(await scan(page))
    const link = (await page.getByText('/#connect=').textContent()) ?? ''

    // As a messenger's preview would: the page is opened, nothing is pressed.
    const preview = await other.newPage()
    await preview.goto(link)
    await preview.getByRole('button', { name: 'Show my Connect QR code' }).waitFor()
    await preview.close()

    const there = await other.newPage({ viewport: phoneScreen })
    await there.goto(link)
    await there.getByRole('heading', { name: 'Open KSWiFi Connect on this device' }).waitFor()
    t.is(there.url(), `http://${lab.portalHost}/`, 'the token is not in the address any more')
    t.deepEqual(await accessibilityFaults(there), [], 'the link')
    await there.getByRole('button', { name: 'Show my Connect QR code' }).click()
    await setup(there).waitFor()
    const second = keyIn(await scan(there))
    t.truthy(second)
    t.not(second, first, 'the first device has a key that is of no use any more')

    const again = await other.newPage({ viewport: phoneScreen })
    await again.goto(link)
    await again.getByRole('button', { name: 'Show my Connect QR code' }).click()
    await again.getByText('was used already').waitFor()
    t.deepEqual(await accessibilityFaults(again), [], 'a used link')
    await again.getByRole('button', { name: 'To the first page' }).click()
    await again.getByRole('heading', { name: 'I have a voucher' }).waitFor()
  } finally {
    await Promise.all([one.close(), other.close()])
  }
})

test.serial('with several ways in the page measures them, and says which is the nearest', async (t) => {
  const browser = await openBrowser(lab.phones[3]!.namespace)
  const added: number[] = []
  try {
    const ways = [
      { name: 'Relay', host: lab.internet.address },
      // Of a range for documents: nothing answers.
      { name: 'Nowhere', host: '198.51.100.77' },
    ]
    for (const way of ways) {
      const { endpoint } = await admin<{ endpoint: { id: number } }>('connect/endpoints', { ...way, region: 'Europe', ports: [51820, 443] })
      added.push(endpoint.id)
    }
    const [code] = (await vouchers('Ways', { dataLimit: 100 * MB, maxDevices: 3 })) as [string]
    const page = await openSession(browser, code)
    await page.getByRole('button', { name: 'Generate Connect Code' }).click()
    await page.getByText('is the nearest').waitFor({ timeout: 15_000 })
    const rows = await page.getByRole('group').locator('label').allInnerTexts()
    // Whatever is on the way to nowhere may say so at once, and must not count as near.
    t.regex(rows.at(-1)!, /^Nowhere[^]*(about \d+ ms|no answer)$/, rows.join(' | '))
    for (const row of rows.slice(0, 2)) t.regex(row, /^(This box|Relay)[^]*\s\d+ ms$/)
    t.true(await page.getByRole('radio').first().isChecked())
    t.deepEqual(await accessibilityFaults(page), [], 'measured')

    await page.getByRole('radio', { name: /Relay/ }).check()
    await page.getByRole('button', { name: 'Generate Connect Code' }).click()
    await page.getByRole('button', { name: 'Use port 443' }).waitFor()
    t.true((await scan(page)).includes(`Endpoint = ${lab.internet.address}:51820`))
    await page.getByRole('button', { name: 'Use port 443' }).click()
    await page.getByRole('button', { name: 'Use port 51820' }).waitFor()
    t.true((await scan(page)).includes(`Endpoint = ${lab.internet.address}:443`))
  } finally {
    for (const id of added) await admin(`connect/endpoints/${id}`, undefined, 'DELETE')
    await browser.close()
  }
})

test.serial('who comes through the tunnel sees so, and goes on with a voucher without reconnecting', async (t) => {
  const [code, next] = (await vouchers('Anywhere', { dataLimit: 6 * MB }, 2)) as [string, string]
  const phone = await openBrowser(lab.phones[2]!.namespace)
  const remote = lab.remotes[0]!
  let away: Browser | undefined
  try {
    const page = await openSession(phone, code)
    await page.getByRole('button', { name: 'Generate Connect Code' }).click()
    await setup(page).waitFor()
    await remote.connect(await scan(page))
    await lab.exec(remote.namespace, ['curl', '-s', '-o', '/dev/null', `http://${lab.internet.address}/bytes/${2 * MB}`])
    await page.getByRole('button', { name: 'Done' }).click()
    await page.getByText('Connect Profile Active').waitFor({ timeout: 20_000 })
    await page.getByText('Through KSWiFi Connect').waitFor()

    away = await openBrowser(remote.namespace)
    const there = await away.newPage({ viewport: phoneScreen })
    await there.goto(`http://${lab.portalHost}/`)
    await there.getByRole('heading', { name: 'You are online through KSWiFi Connect' }).waitFor()
    t.deepEqual(await accessibilityFaults(there), [], 'through the tunnel')

    const drained = lab.exec(
      remote.namespace,
      ['curl', '-s', '-m', '10', '-o', '/dev/null', `http://${lab.internet.address}/bytes/${20 * MB}`],
      {
        allowFailure: true,
      },
    )
    await there.getByRole('heading', { name: 'Your data is used up' }).waitFor({ timeout: 20_000 })
    t.deepEqual(await accessibilityFaults(there), [], 'used up, in the tunnel')
    await there.getByRole('textbox', { name: 'Voucher code' }).fill(next)
    await there.getByRole('button', { name: 'Connect' }).click()
    await there.getByText('nothing to reconnect').waitFor()
    t.deepEqual(await accessibilityFaults(there), [], 'goes on')
    await there.getByRole('button', { name: 'To my session' }).click()
    await there.getByRole('heading', { name: 'You are online through KSWiFi Connect' }).waitFor()
    const loaded = await lab.exec(remote.namespace, ['curl', '-s', '-m', '20', `http://${lab.internet.address}/bytes/1000`])
    t.is(loaded.stdout.length, 1000, 'the same tunnel carries again')
    await drained
    t.notRegex(await words(there), /\bvpn\b|esim/)
  } finally {
    await Promise.all([phone.close(), away?.close()])
  }
})
