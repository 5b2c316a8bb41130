import test from 'ava'
import type { Page } from 'playwright-core'
import { startLab, type Lab } from '#lab/lab.ts'
import { accessibilityFaults, laptopScreen, openBrowser, phoneScreen } from './browser.ts'

const MB = 1_048_576

let lab: Lab
test.before(async () => {
  lab = await startLab({ prefix: 'kweb1', phones: 2 })
})
test.after.always(() => lab?.stop())

async function admin<T>(path: string, body: unknown): Promise<T> {
  const headers = { authorization: `Bearer ${lab.admin.apiKey}`, 'content-type': 'application/json' }
  const answer = await fetch(`${lab.url}/api/admin/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return (await answer.json()) as T
}

async function vouchers(name: string, terms: object, count: number): Promise<string[]> {
  const { package: made } = await admin<{ package: { id: number } }>('packages', {
    name,
    durationSeconds: 3600,
    priceMinor: 50_000,
    ...terms,
  })
  return (await admin<{ codes: string[] }>('vouchers', { packageId: made.id, count })).codes
}

/** Waits until the meter says so, as a screen reader hears it. */
async function meter(page: Page, words: string): Promise<void> {
  const shown = page.locator(`[role=meter][aria-valuetext*="${words}"]`)
  // A page that missed the change shows it when it is opened again, as a customer would.
  if (
    !(await shown.waitFor({ timeout: 12_000 }).then(
      () => true,
      () => false,
    ))
  )
    await page.reload()
  await shown.waitFor({ timeout: 20_000 })
}

test.serial('a customer signs in on the phone, sees the meter move, runs out, and adds another voucher', async (t) => {
  const phone = lab.phones[0]!
  const [first, second] = (await vouchers('Small', { dataLimit: 4 * MB, downBps: 20_000_000 }, 2)) as [string, string]
  const browser = await openBrowser(phone.namespace)
  try {
    const page = await browser.newPage({ viewport: phoneScreen })
    const outside = new Set<string>()
    page.on('request', (request) => outside.add(new URL(request.url()).host))
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))

    await page.goto('http://captive.apple.com/hotspot-detect.html')
    t.is(new URL(page.url()).host, lab.portalHost, 'the probe leads to the portal')
    await page.getByRole('heading', { name: 'I have a voucher' }).waitFor()
    t.deepEqual(await accessibilityFaults(page), [], 'welcome')

    const field = page.getByRole('textbox', { name: /voucher/i }).first()
    await field.fill('WRNG2-WRNG2')
    await page.getByRole('button', { name: 'Connect' }).click()
    await page
      .getByText(/voucher/i)
      .and(page.getByText(/code|again/i))
      .first()
      .waitFor()
    t.deepEqual(await accessibilityFaults(page), [], 'a wrong code')
    t.deepEqual(
      problems.filter((problem) => !/404/.test(problem)),
      [],
    )
    problems.length = 0

    await page.goto(`http://${lab.portalHost}/v#${first}`)
    await page.getByRole('button', { name: 'Connect' }).click()
    await page.getByText(/write this down/i).waitFor()
    const code = await page
      .getByText(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/)
      .first()
      .textContent()
    t.regex(code ?? '', /^[A-Z0-9]{4}-[A-Z0-9]{4}$/, 'the resume code is shown before the captive window may close')
    t.deepEqual(await accessibilityFaults(page), [], 'voucher accepted')
    await page.waitForURL('**/connected')
    t.pass('one full navigation follows, so that the phone probes again')
    await meter(page, 'of 4 MB')

    await lab.exec(phone.namespace, ['curl', '-s', '-o', '/dev/null', `http://${lab.internet.address}/bytes/${2 * MB}`])
    await meter(page, 'MB of 4 MB')
    await page.getByText('You are online').first().waitFor()
    t.deepEqual(await accessibilityFaults(page), [], 'connected')

    await page.getByRole('button', { name: 'Add data or time' }).click()
    await page
      .getByRole('textbox', { name: /voucher/i })
      .first()
      .fill(second)
    await page.getByRole('button', { name: 'Add to my session' }).click()
    await page.waitForURL('**/connected')
    await meter(page, 'of 8 MB')
    t.pass('a second voucher adds to the session')

    const drained = lab.exec(
      phone.namespace,
      ['curl', '-s', '-m', '20', '-o', '/dev/null', `http://${lab.internet.address}/bytes/${20 * MB}`],
      { allowFailure: true },
    )
    await page
      .getByText(/used up/i)
      .first()
      .waitFor({ timeout: 20_000 })
    t.deepEqual(await accessibilityFaults(page), [], 'used up')
    await page
      .getByRole('textbox', { name: /voucher/i })
      .or(page.getByRole('button', { name: /voucher/i }))
      .first()
      .waitFor()
    await drained
    t.deepEqual(problems, [], 'nothing was reported in the console')
    t.deepEqual(
      [...outside].filter((host) => host !== lab.portalHost && host !== 'captive.apple.com'),
      [],
      'no other host was asked',
    )
  } finally {
    await browser.close()
  }
})

test.serial('a session continues on a new phone by its resume code', async (t) => {
  const [first, other] = lab.phones as [Lab['phones'][number], Lab['phones'][number]]
  const [code] = (await vouchers('Family', { dataLimit: 100 * MB, maxDevices: 2 }, 1)) as [string]
  const redeem = [
    'curl',
    '-s',
    '-H',
    'content-type: application/json',
    '-d',
    JSON.stringify({ code }),
    `http://${lab.portalHost}/api/vouchers/redeem`,
  ]
  const { session } = JSON.parse((await lab.exec(first.namespace, redeem)).stdout) as { session: { resumeCode: string } }
  const browser = await openBrowser(other.namespace)
  try {
    const page = await browser.newPage({ viewport: laptopScreen })
    await page.goto(`http://${lab.portalHost}/`)
    await page.getByRole('button', { name: 'Use my resume code' }).click()
    await page.getByRole('heading', { name: 'Continue my session' }).waitFor()
    t.deepEqual(await accessibilityFaults(page), [], 'resume')
    await page.getByRole('textbox', { name: /code/i }).first().fill(session.resumeCode.toLowerCase().replace('-', ' '))
    await page
      .getByRole('main')
      .getByRole('button', { name: /continue|connect/i })
      .first()
      .click()
    await page.waitForURL('**/connected')
    await meter(page, 'of 100 MB')
    t.is(
      (
        await lab.exec(other.namespace, [
          'curl',
          '-s',
          '-o',
          '/dev/null',
          '-w',
          '%{http_code}',
          'http://connectivitycheck.gstatic.com/generate_204',
        ])
      ).stdout,
      '204',
    )
  } finally {
    await browser.close()
  }
})

test('the portal is at most 40 KB of JavaScript, gzipped', async (t) => {
  const html = await (await fetch(`${lab.url}/`)).text()
  const scripts = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)].map((match) => match[1]!)
  t.true(scripts.length > 0)
  let gzipped = 0
  for (const script of scripts) {
    const answer = await fetch(lab.url + script, { headers: { 'accept-encoding': 'identity' } })
    gzipped += (await import('node:zlib')).gzipSync(Buffer.from(await answer.arrayBuffer())).length
  }
  t.log(`${gzipped} bytes in ${scripts.length} files`)
  t.true(gzipped <= 40 * 1024)
})
