import test from 'ava'
import * as jsqr from 'jsqr'
import type { Browser, Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { startLab, type Lab } from '#lab/lab.ts'
import type { ConnectAnswer, ConnectOverview } from '#server/connect/schema.ts'
import type { SessionView } from '#server/sessions/schema.ts'
import type { Settings } from '#server/settings/schema.ts'
import { accessibilityFaults, laptopScreen, openBrowser, phoneScreen } from './browser.ts'

const MB = 1_048_576
// The package's types and its module disagree on where the function is.
const readCode = (jsqr.default as unknown as { default: typeof jsqr.default.default }).default

let lab: Lab
let browser: Browser
test.before(async () => {
  lab = await startLab({ prefix: 'kweb4', phones: 1, remotes: 1 })
  browser = await openBrowser()
})
test.afterEach.always(() => lab.remotes[0]!.disconnect().catch(() => {}))
test.after.always(async () => {
  await browser?.close()
  await lab?.stop()
})

test.serial('a profile made at the counter is scanned from the screen, seen at work with its share, renamed and revoked', async (t) => {
  const session = await openSession('Counter')
  const page = await signIn()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  await show(page, 'connect')
  await page.getByRole('heading', { name: 'Probably reachable, not proven yet' }).waitFor()

  await show(page, `sessions/${session.id}`)
  await page.getByRole('button', { name: 'Make a Connect profile' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill("Mary's phone")
  await page.getByRole('button', { name: 'Make it' }).click()
  const made = page.getByRole('dialog', { name: /^Connect QR code for/ })
  await made.getByText('it is shown this once').waitFor()
  t.deepEqual(await accessibilityFaults(page), [], 'a profile just made')
  t.is(await made.getByRole('listitem').count(), 4, 'the four steps')
  const profile = await scan(page)
  t.regex(profile, /^PrivateKey = \S{44}$/m)
  t.regex((await made.getByText('/#connect=').textContent()) ?? '', /^http:\/\/[^/]+\/#connect=[\w-]{20,}$/)
  await made.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('button', { name: 'Go back' }).click()

  await lab.remotes[0]!.connect(profile)
  t.is(await load(lab.remotes[0]!.namespace, 3 * MB), 3 * MB)
  t.is(await load(lab.phones[0]!.namespace, 5 * MB), 5 * MB)
  await made.getByText('It works: you can close this.').waitFor()
  await made.getByRole('button', { name: 'Done' }).click()
  await made.waitFor({ state: 'detached' })

  await page.getByText(/^Connect 3(\.\d)? MB$/).waitFor()
  await page.getByText(/^Hotspot 5(\.\d)? MB$/).waitFor()
  const row = page.getByRole('listitem').filter({ hasText: "Mary's phone" })
  await row.getByText('Connect Profile Active').waitFor()
  t.deepEqual(await accessibilityFaults(page), [], 'a session with a profile')
  await page.goto(`${lab.url}/admin/#/sessions`)
  await page.getByRole('row').getByTitle('Connect Profile Active').waitFor()
  await show(page, 'connect')
  await page.getByRole('heading', { name: 'Reached from outside' }).waitFor()

  await show(page, `sessions/${session.id}`)
  await page.getByRole('button', { name: "Rename Mary's phone" }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('Tablet')
  await page.getByRole('button', { name: 'Rename', exact: true }).click()
  await page.getByRole('button', { name: 'Revoke Tablet' }).click()
  await page.getByRole('button', { name: 'Revoke it' }).click()
  await page.getByText('Tablet is revoked.').waitFor()
  t.is(await load(lab.remotes[0]!.namespace, 1000), 0, 'nothing comes through any more')
  await page.getByText('None yet. With one').waitFor()
  await lab.remotes[0]!.disconnect()

  await show(page, 'audit')
  for (const words of ['made Connect profile', 'renamed Connect profile', 'revoked Connect profile']) {
    await page.getByText(words).first().waitFor()
  }
  t.deepEqual(problems, [])
  await page.context().close()
})

test.serial('the owner adds, changes and removes an endpoint; what is wrong with it is said beside the field', async (t) => {
  const page = await signIn()
  await show(page, 'connect')
  const own = page.getByRole('row').filter({ hasText: 'This box' })
  await own.getByText("The line's own address").waitFor()
  t.is(await own.getByRole('button', { name: /^Remove/ }).count(), 0, 'this box stays')

  await page.getByRole('button', { name: 'New endpoint' }).click()
  await page.getByLabel('Name').fill('Relay')
  await page.getByLabel('Region').fill('Europe')
  await page.getByLabel('Host').fill('no host!')
  await page.getByLabel('UDP ports').fill('443, 51820')
  await page.getByRole('button', { name: 'Add it' }).click()
  await page.locator('.faulty').getByText('a name such as cafe.example.com').last().waitFor()
  t.deepEqual(await accessibilityFaults(page), [], 'a refused endpoint')
  await page.getByLabel('Host').fill(lab.internet.address)
  await page.getByRole('button', { name: 'Add it' }).click()
  const relay = page.getByRole('row').filter({ hasText: 'Relay' })
  await relay.getByText('443, 51820').waitFor()

  await page.getByRole('button', { name: 'Edit Relay' }).click()
  await page.getByLabel('Name').fill('Relay Frankfurt')
  const sent = page.waitForRequest((request) => request.method() === 'PATCH')
  await page.getByRole('button', { name: 'Save' }).click()
  t.deepEqual((await sent).postDataJSON(), { name: 'Relay Frankfurt' }, 'only what was changed')
  await page.getByRole('button', { name: 'Remove Relay Frankfurt' }).click()
  await page.getByRole('button', { name: 'Remove it' }).click()
  await relay.waitFor({ state: 'detached' })
  t.deepEqual(
    (await admin<ConnectOverview>('GET', 'connect')).endpoints.map(({ self }) => self),
    [true],
  )
  await page.context().close()
})

test.serial('rotating the keys asks for a word, shows the new key, and stops every profile; the session stays', async (t) => {
  const session = await openSession('Rotated')
  const made = await admin<ConnectAnswer>('POST', `sessions/${session.id}/profiles`, {})
  await lab.remotes[0]!.connect(made.profile_text)
  t.is(await load(lab.remotes[0]!.namespace, MB), MB)
  const before = (await admin<ConnectOverview>('GET', 'connect')).tunnel.publicKey

  const page = await signIn()
  await show(page, 'connect')
  await page.getByText(before).waitFor()
  await page.getByRole('button', { name: 'Rotate keys' }).click()
  const go = page.getByRole('button', { name: 'Rotate the keys' })
  t.true(await go.isDisabled())
  await page.getByLabel(/^Type/).fill('rotate')
  t.deepEqual(await accessibilityFaults(page), [], 'asked back')
  await go.click()
  await page.getByRole('dialog', { name: 'The keys are new' }).waitFor()
  const after = (await admin<ConnectOverview>('GET', 'connect')).tunnel.publicKey
  t.not(after, before)
  await page.getByRole('dialog').getByText(after).waitFor()
  t.is(await load(lab.remotes[0]!.namespace, 1000), 0, 'the old profile is of no use')
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByText(before).waitFor({ state: 'detached' })

  const kept = (await admin<{ session: SessionView }>('GET', `sessions/${session.id}`)).session
  t.not(kept.status, 'expired')
  t.is(kept.profiles.length, 1)
  await lab.remotes[0]!.disconnect()
  const anew = await admin<ConnectAnswer>('POST', `sessions/${session.id}/profiles`, {})
  await lab.remotes[0]!.connect(anew.profile_text)
  t.is(await load(lab.remotes[0]!.namespace, MB), MB, 'a new one works')
  await page.context().close()
})

test.serial('names, name servers and range are settings; the range stays while a profile uses it', async (t) => {
  const session = await openSession('Range')
  const { connect_id: id } = await admin<ConnectAnswer>('POST', `sessions/${session.id}/profiles`, {})
  const page = await signIn()
  await show(page, 'settings')
  await page.getByLabel('What the QR code is called').fill('Roaming code')
  await page.getByLabel('Name servers').fill('9.9.9.9, nine')
  t.is((await save(page)).status, 400)
  await page.locator('.faulty').getByText('an IPv4 address such as 9.9.9.9').waitFor()
  await page.getByLabel('Name servers').fill('9.9.9.9, 1.1.1.1')
  const { status, sent } = await save(page)
  t.is(status, 200)
  t.deepEqual(Object.keys(sent).toSorted(), ['connectDns', 'connectWords'], 'only what was changed')
  const settings = await admin<Settings>('GET', 'settings')
  t.deepEqual(settings.connectDns, ['9.9.9.9', '1.1.1.1'])
  t.is(settings.connectWords.code, 'Roaming code')
  t.is(settings.connectWords.product, 'KSWiFi Connect')

  await page.getByLabel('Range of addresses').fill('10.9.0.0/16')
  t.is((await save(page)).status, 409)
  await page.getByRole('alert').getByText('addresses of the range there is now').waitFor()
  await admin('DELETE', `profiles/${id}`)
  t.is((await save(page)).status, 200)
  await page.getByRole('alert').waitFor({ state: 'detached' })
  await show(page, 'connect')
  await page.getByText('10.9.0.0/16').waitFor()

  await show(page, 'settings')
  await page.getByText('Customers may make Connect profiles').click()
  t.deepEqual((await save(page)).sent, { connectOn: false })
  await show(page, 'connect')
  await page.getByText('Connect is turned off:').waitFor()
  t.deepEqual(await accessibilityFaults(page), [], 'turned off')
  await show(page, `sessions/${session.id}`)
  await page.getByText('Connect is turned off: no new profiles.').waitFor()
  await admin('PATCH', 'settings', { connectOn: true })
  await page.getByRole('button', { name: 'Make a Connect profile' }).waitFor()
  await page.context().close()
})

test.serial('a cashier sees Connect and changes nothing of it', async (t) => {
  const password = 'a cashier who looks only'
  await admin('POST', 'staff', { username: 'grace', password, role: 'cashier' })
  const page = await signIn(laptopScreen, { username: 'grace', password })
  await show(page, 'connect')
  await page.getByRole('row').filter({ hasText: 'This box' }).waitFor()
  t.is(await page.getByRole('button', { name: /endpoint|edit|remove|rotate/i }).count(), 0)
  t.deepEqual(await accessibilityFaults(page), [])
  await page.context().close()
})

test.serial('the screens of Connect are readable for everybody, on a laptop and on a phone', async (t) => {
  const session = await openSession('Readable')
  await admin('POST', `sessions/${session.id}/profiles`, {})
  for (const viewport of [laptopScreen, phoneScreen]) {
    const page = await signIn(viewport)
    for (const screen of ['connect', `sessions/${session.id}`, 'settings']) {
      await show(page, screen)
      t.deepEqual(await accessibilityFaults(page), [], `${screen} at ${viewport.width}`)
      const sideways = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
      t.is(sideways, 0, `${screen} does not scroll sideways at ${viewport.width}`)
      t.notRegex((await page.locator('main').innerText()).toLowerCase(), /\bvpn\b|esim/)
    }
    await page.context().close()
  }
})

async function admin<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers = { authorization: `Bearer ${lab.admin.apiKey}`, 'content-type': 'application/json' }
  const answer = await fetch(`${lab.url}/api/admin/${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

/** Presses Save on the settings. @returns what was sent, and the status of the answer */
async function save(page: Page): Promise<{ status: number; sent: object }> {
  const answered = page.waitForResponse((response) => response.request().method() === 'PATCH')
  await page.getByRole('button', { name: 'Save' }).click()
  const response = await answered
  return { status: response.status(), sent: response.request().postDataJSON() as object }
}

/** A new session of the phone; the one before is ended, and its profiles with it: they would go on with the new one. */
async function openSession(name: string): Promise<SessionView> {
  const phone = lab.phones[0]!.namespace
  const { sessions } = await admin<{ sessions: SessionView[] }>('GET', 'sessions?status=live')
  for (const { id, profiles } of sessions) {
    for (const profile of profiles) await admin('DELETE', `profiles/${profile.id}`)
    await admin('POST', `sessions/${id}/end`, {})
  }
  // At a speed that a busy machine can take in: what its WireGuard would lose is used all the same, and would be in the shares.
  const terms = { name, dataLimit: 500 * MB, durationSeconds: 3600, priceMinor: 0, maxDevices: 2, downBps: 20_000_000, upBps: 20_000_000 }
  const offer = await admin<{ package: { id: number } }>('POST', 'packages', terms)
  const { codes } = await admin<{ codes: string[] }>('POST', 'vouchers', { packageId: offer.package.id, count: 1 })
  const redeem = ['curl', '-s', '--json', JSON.stringify({ code: codes[0] }), `http://${lab.portalHost}/api/vouchers/redeem`]
  return (JSON.parse((await lab.exec(phone, redeem)).stdout) as { session: SessionView }).session
}

async function signIn(viewport = laptopScreen, who: { username: string; password: string } = lab.admin): Promise<Page> {
  const page = await browser.newPage({ viewport })
  await page.goto(`${lab.url}/admin/`)
  await page.getByLabel('Name').fill(who.username)
  await page.getByLabel('Password').fill(who.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { level: 1, name: /^(Overview|Sell)$/ }).waitFor()
  return page
}

async function show(page: Page, screen: string): Promise<void> {
  await page.goto(`${lab.url}/admin/#/${screen}`)
  await page
    .getByRole('heading', { level: screen.includes('/') ? 3 : 2 })
    .first()
    .waitFor()
  await page.getByText('Loading', { exact: true }).waitFor({ state: 'detached' })
}

/** What a camera reads from the screen. */
async function scan(page: Page): Promise<string> {
  const picture = PNG.sync.read(await page.getByRole('img', { name: 'Connect QR code' }).screenshot())
  return readCode(new Uint8ClampedArray(picture.data), picture.width, picture.height)?.data ?? ''
}

/** @returns how many bytes of `bytes` arrived */
async function load(namespace: string, bytes: number): Promise<number> {
  const curl = ['curl', '-s', '-m', bytes > 1000 ? '30' : '4', '-o', '/dev/null', '-w', '%{size_download}']
  return Number((await lab.exec(namespace, [...curl, `http://${lab.internet.address}/bytes/${bytes}`], { allowFailure: true })).stdout)
}
