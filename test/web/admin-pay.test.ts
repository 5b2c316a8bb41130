import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import * as jsqr from 'jsqr'
import type { Browser, Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { startLab, type Lab } from '#lab/lab.ts'
import { until } from '#lab/run.ts'
import type { AccountView } from '#server/accounts/schema.ts'
import type { PointsAnswer } from '#server/loyalty/schema.ts'
import type { PaymentView, StaffPayment } from '#server/payments/schema.ts'
import { accessibilityFaults, laptopScreen, openBrowser, phoneScreen } from './browser.ts'

const MB = 1_048_576
const customer = '2348031234560'
const cashier = { username: 'grace', password: 'a cashier at the counter' }
// The package's types and its module disagree on where the function is.
const readCode = (jsqr.default as unknown as { default: typeof jsqr.default.default }).default

let lab: Lab
let browser: Browser
let packageId: number
const cookies = mkdtempSync(join(tmpdir(), 'kweb6-'))
test.before(async () => {
  lab = await startLab({ prefix: 'kweb6', phones: 3 })
  browser = await openBrowser()
  await admin('PATCH', 'accounts/sandbox', { enabled: true })
  await admin('POST', 'staff', { ...cashier, role: 'cashier' })
  const terms = { name: 'Counter day', dataLimit: 100 * MB, durationSeconds: 86_400, priceMinor: 50_000, currency: 'NGN' }
  packageId = (await admin<{ package: { id: number } }>('POST', 'packages', terms)).package.id
})
test.after.always(async () => {
  await browser?.close()
  await lab?.stop()
  rmSync(cookies, { recursive: true, force: true })
})

test.serial('a cashier takes waiting cash in two taps on a phone, and the customer goes online', async (t) => {
  const page = await signIn(phoneScreen, cashier)
  const problems = problemsOf(page)
  await page.getByRole('heading', { level: 1, name: 'Sell' }).waitFor()
  await page.getByText('Nobody. Customers who choose cash').waitFor()
  const { namespace } = lab.phones[0]!
  const { payment } = await fromPhone<{ payment: PaymentView }>(0, '/api/payments', {
    packageId,
    provider: 'cash',
    key: 'waits-with-cash-1',
  })
  t.is(await load(namespace, 1000), 0, 'not before it is paid')

  const waiting = page.getByRole('button', { name: new RegExp(`^Number ${payment.number}\\b.*Counter day.*₦500$`) })
  await waiting.click()
  t.deepEqual(await accessibilityFaults(page), [], 'the second tap')
  await page.getByRole('button', { name: 'Cash received: ₦500' }).click()
  await page.getByText(`Number ${payment.number} has paid`).waitFor()
  await waiting.waitFor({ state: 'detached' })
  t.is(await loadSoon(namespace, MB), MB)
  t.is((await paymentNumber(payment.number)).confirmedBy, cashier.username)
  t.deepEqual(problems, [])
  await page.context().close()
})

test.serial('a cashier sells in two taps: the code is on the screen, can be scanned, and works', async (t) => {
  const page = await signIn(phoneScreen, cashier)
  const problems = problemsOf(page)
  await page.getByRole('button', { name: /^Counter day.*₦500$/ }).click()
  await page.getByRole('button', { name: 'Cash received: ₦500' }).click()
  const sold = page.getByRole('dialog', { name: 'Sold: Counter day' })
  const code = (await sold.getByText(/^[A-Z0-9]{5}-[A-Z0-9]{5}$/).textContent())!
  t.is(await scan(page), `http://${lab.portalHost}/v#${code.replace('-', '')}`)
  t.deepEqual(await accessibilityFaults(page), [], 'sold')
  await page.getByRole('button', { name: 'Next customer' }).click()
  await page.getByRole('button', { name: 'Last code' }).click()
  await sold.getByText(code).waitFor()
  await page.getByRole('button', { name: 'Next customer' }).click()
  t.deepEqual(await accessibilityFaults(page), [], 'ready for the next customer')

  await fromPhone(1, '/api/vouchers/redeem', { code })
  t.is(await loadSoon(lab.phones[1]!.namespace, MB), MB)
  t.deepEqual(problems, [])

  await page.getByRole('button', { name: 'More' }).click()
  for (const hidden of ['Providers', 'Settings', 'Audit']) {
    t.is(await page.getByRole('link', { name: hidden }).count(), 0, `a cashier does not see ${hidden}`)
  }
  await page.context().close()
})

test.serial('the owner sets up a provider, hears what is wrong with it, and tries it', async (t) => {
  const page = await signIn()
  const problems = problemsOf(page)
  await show(page, 'providers')
  const play = provider(page, 'Test payment')
  await play.getByRole('button', { name: 'Test this' }).click()
  await play.getByText('The test payment works. No money moves.').waitFor()
  await play.getByRole('button', { name: 'Turn off' }).click()
  await play.getByText('Off', { exact: true }).waitFor()
  await play.getByRole('button', { name: 'Turn on' }).click()
  await play.getByText('In use').waitFor()

  const paystack = provider(page, 'Paystack')
  await paystack.getByText('Missing: Secret key').waitFor()
  t.true(await paystack.getByRole('button', { name: 'Test this' }).isDisabled())
  await page.getByRole('link', { name: 'Set up Paystack' }).click()
  await page.getByLabel('Secret key').fill('sk_test with a space')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.locator('.faulty').getByText('Copy it again.').waitFor()
  t.deepEqual(await accessibilityFaults(page), [], 'a refused key')
  await page.getByLabel('Secret key').fill('sk_test_0123456789abcdef')
  // Nobody listens there: an answer that says so is what is wanted.
  await page.getByLabel('Address').fill('http://127.0.0.1:9')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await paystack.getByRole('button', { name: 'Test this' }).click()
  await paystack.getByRole('alert').waitFor()
  t.deepEqual(await accessibilityFaults(page), [], 'tried in vain')

  await page.getByRole('link', { name: 'Set up Paystack' }).click()
  t.is(await page.getByLabel('Secret key').inputValue(), '', 'a secret is never shown again')
  await page.getByText('Set. Leave it empty to keep it.').waitFor()
  const sent = page.waitForRequest((request) => request.method() === 'PATCH')
  await page.getByLabel('Domain for buyers').fill('buyers.example.org')
  await page.getByRole('button', { name: 'Save' }).click()
  t.deepEqual((await sent).postDataJSON(), { values: { emailDomain: 'buyers.example.org' } }, 'only what was changed')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  const { accounts } = await admin<{ accounts: AccountView[] }>('GET', 'accounts')
  t.deepEqual(accounts.find(({ name }) => name === 'paystack')?.missing, [])
  await show(page, 'audit')
  await page.getByText('changed provider').first().waitFor()
  t.false((await page.locator('main').innerText()).includes('sk_test'), 'no secret in the audit')
  t.deepEqual(problems, [])
  await page.context().close()
})

test.serial("the owner follows a payment's way to the first byte, refunds it, and corrects the points", async (t) => {
  const page = await signIn()
  const problems = problemsOf(page)
  await page.goto(`${lab.url}/admin/#/payments`)
  await page.getByRole('heading', { level: 1, name: 'Payments' }).waitFor()
  await fromPhone(2, '/api/customers/sign-in', { phone: customer, pin: '4711', isNew: true })
  const { payment } = await fromPhone<{ payment: PaymentView }>(2, '/api/payments', {
    packageId,
    provider: 'sandbox',
    key: 'by-test-payment-1',
  })
  await page.getByRole('link', { name: `+${customer}` }).click()
  const panel = page.getByRole('dialog', { name: `Payment ${payment.number}` })
  t.is(await loadSoon(lab.phones[2]!.namespace, MB), MB)
  await panel.getByText('Came online').waitFor()
  const way = panel.getByRole('listitem').filter({ hasText: /^(Asked|Pending|Paid|Session open|Granted|First byte seen)/ })
  t.is(await way.count(), 6)
  t.is(await way.filter({ hasText: /:\d\d$/ }).count(), 6, 'each step has its time')
  t.deepEqual(await accessibilityFaults(page), [], 'the way of a payment')

  await panel.getByRole('button', { name: 'Refund' }).click()
  await page.getByLabel('Reason').fill('ab')
  await page.getByRole('button', { name: 'Refund ₦500' }).click()
  await page.locator('.faulty').getByText('say why, in a few words').waitFor()
  await page.getByLabel('Reason').fill('the line was down')
  t.deepEqual(await accessibilityFaults(page), [], 'a refund')
  await page.getByRole('button', { name: 'Refund ₦500' }).click()
  await panel.getByText('Refunded', { exact: true }).waitFor()
  t.is((await paymentNumber(payment.number)).refund, 'done')
  t.is(await load(lab.phones[2]!.namespace, 1000), 0, 'its session is ended')

  await page.goto(`${lab.url}/admin/#/customers`)
  await page.getByRole('link', { name: `+${customer}` }).click()
  await page.getByText('Taken back after a refund').waitFor()
  await page.getByRole('button', { name: 'Correct', exact: true }).click()
  await page.getByRole('spinbutton', { name: 'Points' }).fill('25')
  await page.getByLabel('Reason').fill('waited for us')
  t.deepEqual(await accessibilityFaults(page), [], 'a correction')
  await page.getByRole('button', { name: 'Correct them' }).click()
  await page.getByText('waited for us').waitFor()
  t.is((await admin<PointsAnswer>('GET', `customers/${customer}/points`)).balance, 25)
  t.deepEqual(problems, [])
  await page.context().close()
})

test.serial('a key with a scope reads sessions, and nothing else', async (t) => {
  const page = await signIn()
  await show(page, 'staff')
  await page.getByRole('button', { name: 'New key' }).click()
  await page.getByLabel('What is it for').fill('Router in the annex')
  await page.getByText('Program only').click()
  await page.getByRole('button', { name: 'Make the key' }).click()
  await page.locator('.fault').getByText('at least one scope').waitFor()
  await page.getByText(/^Read sessions/).click()
  t.deepEqual(await accessibilityFaults(page), [], 'a new key')
  await page.getByRole('button', { name: 'Make the key' }).click()
  const key = (await page.locator('.key-shown').textContent())!
  await page.getByRole('button', { name: 'I have it' }).click()
  await page.getByRole('listitem').filter({ hasText: 'Router in the annex' }).getByText('sessions:read').waitFor()
  const ask = async (path: string) => (await fetch(`${lab.url}${path}`, { headers: { authorization: `Bearer ${key}` } })).status
  t.is(await ask(`/api/users/${customer}/session-status/hotspot_1`), 200)
  t.is(await ask('/api/admin/sessions'), 403)
  await page.context().close()
})

test.serial('the screens of money are readable for everybody, on a laptop and on a phone', async (t) => {
  const { payments } = await admin<{ payments: StaffPayment[] }>('GET', 'payments')
  const screens = ['sell', 'payments', `payments/${payments[0]!.number}`, 'payments/inbox', 'customers', `customers/${customer}`]
  for (const viewport of [laptopScreen, phoneScreen]) {
    const page = await signIn(viewport)
    for (const screen of [...screens, 'providers', 'providers/mtn-momo', 'packages/new', 'staff']) {
      await show(page, screen)
      t.deepEqual(await accessibilityFaults(page), [], `${screen} at ${viewport.width}`)
      const sideways = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
      t.is(sideways, 0, `${screen} does not scroll sideways at ${viewport.width}`)
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

async function paymentNumber(number: number): Promise<StaffPayment> {
  return (await admin<{ payment: StaffPayment }>('GET', `payments/${number}`)).payment
}

/** Asks the portal as the browser of that phone would, with its cookies. */
async function fromPhone<T>(at: number, path: string, body: object): Promise<T> {
  const jar = join(cookies, String(at))
  const curl = ['curl', '-s', '-c', jar, '-b', jar, '--json', JSON.stringify(body), `http://${lab.portalHost}${path}`]
  const { stdout } = await lab.exec(lab.phones[at]!.namespace, curl)
  const answer = JSON.parse(stdout) as T & { error?: { message: string } }
  if (answer.error) throw new Error(`${path}: ${answer.error.message}`)
  return answer
}

async function signIn(viewport = laptopScreen, who: { username: string; password: string } = lab.admin): Promise<Page> {
  const page = await browser.newPage({ viewport })
  await page.goto(`${lab.url}/admin/`)
  await page.getByLabel('Name').fill(who.username)
  await page.getByLabel('Password').fill(who.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { level: 1, name: who === lab.admin ? 'Overview' : 'Sell' }).waitFor()
  return page
}

function problemsOf(page: Page): string[] {
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  return problems
}

/** Goes to a screen, and waits until what it shows has come. */
async function show(page: Page, screen: string): Promise<void> {
  await page.goto(`${lab.url}/admin/#/${screen}`)
  if (screen.includes('/') && screen !== 'payments/inbox') await page.getByRole('dialog').waitFor()
  else await page.getByRole('heading', { level: 1, name: titles[screen]! }).waitFor()
  await page.getByText('Loading', { exact: true }).first().waitFor({ state: 'detached' })
}

const titles: Record<string, string> = {
  sell: 'Sell',
  payments: 'Payments',
  'payments/inbox': 'Raw inbox',
  customers: 'Customers',
  providers: 'Providers',
  staff: 'Staff and keys',
  audit: 'Audit',
}

function provider(page: Page, title: string) {
  return page.getByRole('listitem').filter({ has: page.getByRole('heading', { level: 3, name: title }) })
}

/** What a camera reads from the screen. */
async function scan(page: Page): Promise<string> {
  const picture = PNG.sync.read(await page.getByRole('img', { name: /^QR code/ }).screenshot())
  return readCode(new Uint8ClampedArray(picture.data), picture.width, picture.height)?.data ?? ''
}

/** @returns how many bytes of `bytes` arrived */
async function load(namespace: string, bytes: number): Promise<number> {
  const curl = ['curl', '-s', '-m', '10', '-o', '/dev/null', '-w', '%{size_download} %{http_code}']
  const { stdout } = await lab.exec(namespace, [...curl, `http://${lab.internet.address}/bytes/${bytes}`], { allowFailure: true })
  const [size, status] = stdout.split(' ').map(Number)
  // Whoever is not let in is led to the portal, which answers with a page of its own.
  return status === 200 ? size! : 0
}

/** As load(), as soon as the gate is open. */
function loadSoon(namespace: string, bytes: number): Promise<number> {
  return until(`${namespace} is let in`, () => load(namespace, bytes), 30_000)
}
