import { readFile } from 'node:fs/promises'
import test from 'ava'
import type { Browser, Page } from 'playwright-core'
import { startLab, type Lab } from '#lab/lab.ts'
import type { StaffPayment } from '#server/payments/schema.ts'
import type { PointsAnswer } from '#server/loyalty/schema.ts'
import { accessibilityFaults, laptopScreen, openBrowser, phoneScreen } from './browser.ts'

const MB = 1_048_576
/** Paid three seconds after; one that ends in 1 is declined, in 2 never answered. */
const buyer = { typed: '0803 123 4567', digits: '2348031234567', shown: '+234 803 123 4567' }
const twice = { typed: '0803 123 4568', digits: '2348031234568' }
const silent = { typed: '0803 123 4562', digits: '2348031234562' }
const declining = { typed: '0803 123 4561', digits: '2348031234561' }
const pin = '2580'

let lab: Lab
test.before(async () => {
  lab = await startLab({ prefix: 'kweb7', phones: 6 })
  await admin('PATCH', 'accounts/sandbox', { enabled: true })
  await admin('PATCH', 'accounts/cash', { enabled: false })
  const terms = { dataLimit: 100 * MB, durationSeconds: 86_400, currency: 'NGN' }
  await admin('POST', 'packages', { ...terms, name: 'Portal day', priceMinor: 50_000, pointsPrice: 40 })
  await admin('POST', 'packages', { ...terms, name: 'Portal week', priceMinor: 200_000, durationSeconds: 7 * 86_400 })
  await admin('POST', 'packages', { ...terms, name: 'Portal gift', priceMinor: 0 })
})
test.after.always(() => lab?.stop())

test.serial('a customer buys by mobile money: a PIN, a confirmation, online; then the receipt', async (t) => {
  const browser = await openPhone(0)
  try {
    const { page, problems } = await openPortal(browser)
    t.deepEqual(await accessibilityFaults(page), [], 'packages')
    await page.getByRole('button', { name: 'Buy Portal day' }).click()
    await heading(page, 'Sign in to buy').waitFor()
    t.is(await page.evaluate('document.activeElement.textContent'), 'Sign in to buy', 'the heading has the focus')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('Type your whole phone number.').waitFor()
    t.deepEqual(await accessibilityFaults(page), [], 'nothing typed')

    await choosePin(page, buyer.typed)
    await heading(page, 'Confirm on your phone').waitFor()
    await page.getByText(buyer.shown).first().waitFor()
    await heading(page, "You're online").waitFor({ timeout: 20_000 })
    await page.waitForURL('**/connected')
    await heading(page, 'You are online').waitFor({ timeout: 20_000 })
    t.is(await load(0, MB), MB, 'what was paid for flows')
    t.deepEqual(problems, [])

    await page.getByRole('button', { name: 'Receipt' }).click()
    const receipt = page.getByRole('region', { name: 'Receipt' })
    await receipt.getByText('₦500', { exact: true }).waitFor()
    const [payment] = await paymentsOf(buyer.digits)
    for (const words of ['Test payment', payment!.reference, `No. ${payment!.number}`, '+5', buyer.shown])
      t.true((await receipt.innerText()).replace(/\s/g, ' ').includes(words), words)
    t.deepEqual(await accessibilityFaults(page), [], 'receipt')
    t.is((await paymentsOf(buyer.digits)).length, 1)
  } finally {
    await browser.close()
  }
})

test.serial('whoever buys while a session lives goes on with it and is charged nothing', async (t) => {
  const browser = await openPhone(5)
  try {
    const { page } = await openPortal(browser)
    await signInDoor(page).click()
    await choosePin(page, twice.typed)
    await heading(page, 'My account').waitFor()
    await page.getByRole('button', { name: 'Back' }).click()
    await heading(page, 'Get online').waitFor()

    // The other page buys; this one has not heard of it.
    const other = await page.context().newPage()
    await other.goto(`http://${lab.portalHost}/`)
    await other.getByRole('button', { name: 'Buy Portal day' }).click()
    await other.waitForURL('**/connected', { timeout: 20_000 })

    await page.getByRole('button', { name: 'Buy Portal week' }).click()
    await heading(page, 'You still have a session').waitFor()
    await page.getByText('Nothing was charged').waitFor()
    await page.getByRole('button', { name: 'Wait' }).click()
    t.deepEqual(await accessibilityFaults(page), [], 'resumed')
    t.deepEqual(
      (await paymentsOf(twice.digits)).map(({ packageName }) => packageName),
      ['Portal day'],
    )
    await page.getByRole('button', { name: 'Go online' }).click()
    await page.waitForURL('**/connected')
    await heading(page, 'You are online').waitFor()
  } finally {
    await browser.close()
  }
})

test.serial('more is added to a living session only when that is asked for', async (t) => {
  const browser = await openPhone(0)
  try {
    const { page } = await openPortal(browser)
    await signIn(page, buyer.typed)
    await page.getByRole('button', { name: 'Back' }).click()
    await page.getByRole('button', { name: 'Add data or time' }).click()
    await page.getByRole('button', { name: 'Buy Portal week' }).click()
    await heading(page, 'Add to your session').waitFor()
    await page.getByText('You need not buy now').waitFor()
    t.deepEqual(await accessibilityFaults(page), [], 'asked')
    t.is((await paymentsOf(buyer.digits)).length, 1, 'nothing is asked for before the button is pressed')
    await page.getByRole('button', { name: 'Add it to my session for ₦2,000' }).click()
    await heading(page, 'Confirm on your phone').waitFor()
    await heading(page, 'Added to your session').waitFor({ timeout: 20_000 })
    await page.waitForURL('**/connected')
    await page.getByRole('meter').and(page.locator('[aria-valuetext*="of 200 MB"]')).waitFor({ timeout: 20_000 })
    t.deepEqual(
      (await paymentsOf(buyer.digits)).map(({ topUp }) => topUp),
      [true, false],
    )
  } finally {
    await browser.close()
  }
})

test.serial('a purchase outlives the page, and starting over is one press', async (t) => {
  const browser = await openPhone(1)
  try {
    const { page } = await openPortal(browser)
    await page.getByRole('button', { name: 'Buy Portal day' }).click()
    await choosePin(page, silent.typed)
    await heading(page, 'Confirm on your phone').waitFor()
    await page.getByText('left to confirm').waitFor()
    t.deepEqual(await accessibilityFaults(page), [], 'waiting')
    await page.reload()
    await heading(page, 'Confirm on your phone').waitFor()
    await page.close()
    const again = await browser.contexts()[0]!.newPage()
    await again.setViewportSize(laptopScreen)
    await again.goto(`http://${lab.portalHost}/`)
    await heading(again, 'Confirm on your phone').waitFor()
    t.deepEqual(await accessibilityFaults(again), [], 'waiting, on a laptop')
    await again.getByRole('button', { name: 'Back' }).click()
    await again.getByRole('button', { name: 'Show this payment' }).click()
    await again.getByText('if the money arrives all the same').waitFor()
    await again.getByRole('button', { name: 'Start over' }).click()
    await heading(again, 'Get online').waitFor()
    await again.getByText('You started over.').waitFor()
    t.deepEqual(await accessibilityFaults(again), [], 'started over')
    t.is((await paymentsOf(silent.digits)).length, 1, 'one payment, however often the page was opened')
  } finally {
    await browser.close()
  }
})

test.serial('a declined payment says so, and trying again is a new payment', async (t) => {
  const browser = await openPhone(2)
  try {
    const { page } = await openPortal(browser)
    await page.getByRole('button', { name: 'Buy Portal day' }).click()
    await choosePin(page, declining.typed)
    await heading(page, 'Not paid').waitFor({ timeout: 20_000 })
    await page.getByText('declined').first().waitFor()
    t.deepEqual(await accessibilityFaults(page), [], 'declined')
    const again = page.waitForResponse((answer) => answer.request().method() === 'POST' && answer.url().endsWith('/api/payments'))
    await page.getByRole('button', { name: 'Try again' }).click()
    t.is((await again).status(), 201)
    await heading(page, 'Not paid').waitFor({ timeout: 20_000 })
    t.is((await paymentsOf(declining.digits)).length, 2)
  } finally {
    await browser.close()
  }
})

test.serial('cash: a number for the counter, without signing in', async (t) => {
  await admin('PATCH', 'accounts/cash', { enabled: true })
  const browser = await openPhone(3)
  try {
    const { page } = await openPortal(browser)
    await page.getByRole('button', { name: 'Buy Portal day' }).click()
    await heading(page, 'How do you want to pay?').waitFor()
    t.deepEqual(await accessibilityFaults(page), [], 'ways to pay')
    await page.getByRole('button', { name: 'Cash at the desk' }).click()
    await heading(page, 'Pay at the counter').waitFor()
    const number = await page.getByRole('region', { name: 'Your number' }).locator('.desk-number').textContent()
    t.regex(number!, /^\d+$/)
    t.deepEqual(await accessibilityFaults(page), [], 'number')
    t.is(await load(3, 1000), 0, 'not before it is paid')
    await admin('POST', `payments/${number}/confirm`)
    await page.waitForURL('**/connected', { timeout: 20_000 })
    await heading(page, 'You are online').waitFor({ timeout: 20_000 })
    t.is(await load(3, MB), MB)
  } finally {
    await browser.close()
    await admin('PATCH', 'accounts/cash', { enabled: false })
  }
})

test.serial('a free package is there at once', async (t) => {
  const browser = await openPhone(4)
  try {
    const { page } = await openPortal(browser)
    await page.getByRole('button', { name: 'Get it Portal gift' }).click()
    await heading(page, "You're online").waitFor()
    await page.waitForURL('**/connected')
    t.is(await load(4, MB), MB)
  } finally {
    await browser.close()
  }
})

test.serial('points buy a package; history, account, export, sign out, delete', async (t) => {
  await admin('POST', `customers/${buyer.digits}/points`, { delta: 100, reason: 'for the test' })
  const browser = await openPhone(0)
  try {
    const { page, problems } = await openPortal(browser)
    await signIn(page, buyer.typed)
    t.deepEqual(await accessibilityFaults(page), [], 'account')
    await page.getByRole('button', { name: 'Points' }).click()
    const { balance } = await admin<PointsAnswer>('GET', `customers/${buyer.digits}/points`)
    await page.getByRole('region', { name: 'Balance' }).getByText(String(balance), { exact: true }).waitFor()
    await page.getByText('for the test').waitFor()
    t.deepEqual(await accessibilityFaults(page), [], 'points')
    await page.getByRole('button', { name: '40 points for Portal day' }).click()
    await page.getByRole('button', { name: 'Use 40 points' }).click()
    await heading(page, 'Added to your session').waitFor()
    await page.waitForURL('**/connected')
    t.is((await admin<PointsAnswer>('GET', `customers/${buyer.digits}/points`)).balance, balance - 40)

    await page.getByRole('button', { name: buyer.shown }).click()
    await page.getByRole('button', { name: 'Sessions and payments' }).click()
    await page.getByRole('region', { name: 'Payments' }).getByRole('button', { name: 'Portal week' }).waitFor()
    await page.getByRole('region', { name: 'Sessions' }).getByText('Portal day').first().waitFor()
    t.deepEqual(await accessibilityFaults(page), [], 'history')
    await page.getByRole('button', { name: 'Back' }).click()

    const saving = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Download my data' }).click()
    t.true((await readFile(await (await saving).path(), 'utf8')).includes(buyer.digits))
    t.notRegex((await page.locator('body').innerText()).toLowerCase(), /\bvpn\b|esim/)

    await page.getByRole('button', { name: 'Sign out' }).click()
    await heading(page, 'You are online').waitFor()
    await signInDoor(page).waitFor()
    await signIn(page, buyer.typed)
    await page.getByRole('button', { name: 'Delete my data' }).click()
    t.deepEqual(await accessibilityFaults(page), [], 'asked back')
    await page.getByRole('button', { name: 'Yes, delete' }).click()
    await signInDoor(page).waitFor()
    t.is((await paymentsOf(buyer.digits)).length, 0, 'the number is in no payment any more')
    t.deepEqual(problems, [])
  } finally {
    await browser.close()
  }
})

async function admin<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers = { authorization: `Bearer ${lab.admin.apiKey}`, 'content-type': 'application/json' }
  const init = body === undefined ? (method === 'GET' ? {} : { body: '{}' }) : { body: JSON.stringify(body) }
  const answer = await fetch(`${lab.url}/api/admin/${path}`, { method, headers, ...init })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

/** Newest first. */
async function paymentsOf(phone: string): Promise<StaffPayment[]> {
  return (await admin<{ payments: StaffPayment[] }>('GET', `payments?search=${phone}`)).payments
}

function openPhone(at: number): Promise<Browser> {
  return openBrowser(lab.phones[at]!.namespace)
}

async function openPortal(browser: Browser): Promise<{ page: Page; problems: string[] }> {
  const context = await browser.newContext({ viewport: phoneScreen })
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  await page.goto(`http://${lab.portalHost}/`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  return { page, problems }
}

const signInDoor = (page: Page) => page.getByRole('navigation', { name: 'More' }).getByRole('button', { name: 'Sign in' })
const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true })

async function choosePin(page: Page, phone: string): Promise<void> {
  await page.getByRole('button', { name: 'First time here? Choose a PIN' }).click()
  await page.getByLabel('Phone number').fill(phone)
  await page.getByLabel('Choose a PIN').fill(pin)
  await page.getByRole('button', { name: 'Choose this PIN' }).click()
}

/** Signs in with the PIN that was chosen, and stays on the account's page. */
async function signIn(page: Page, phone: string): Promise<void> {
  await signInDoor(page).click()
  await heading(page, 'Sign in').waitFor()
  await page.getByLabel('Phone number').fill(phone)
  await page.getByLabel('Your PIN').fill(pin)
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
  await heading(page, 'My account').waitFor()
}

/** @returns how many of so many bytes came through from the internet */
async function load(phone: number, bytes: number): Promise<number> {
  const url = `http://${lab.internet.address}/bytes/${bytes}`
  const argv = ['curl', '-s', '-m', '10', '-o', '/dev/null', '-w', '%{http_code} %{size_download}', url]
  const { stdout } = await lab.exec(lab.phones[phone]!.namespace, argv, { allowFailure: true })
  const [status, size] = stdout.split(' ').map(Number)
  return status === 200 ? size! : 0
}
