import test from 'ava'
import { startLab, type Lab } from '#lab/lab.ts'
import { accessibilityFaults, laptopScreen, openBrowser, phoneScreen } from './browser.ts'

let lab: Lab
test.before(async () => {
  lab = await startLab({ prefix: 'kweb2', phones: 1 })
})
test.after.always(() => lab?.stop())

test.serial('the owner signs in, makes vouchers, sees a customer live, and ends the session', async (t) => {
  const browser = await openBrowser()
  try {
    const page = await browser.newPage({ viewport: laptopScreen })
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    await page.goto(`${lab.url}/admin/`)
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    t.deepEqual(await accessibilityFaults(page), [], 'sign-in')
    await page.getByLabel('Name').fill(lab.admin.username)
    await page.getByLabel('Password').fill('not the password')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').first().waitFor()
    await page.getByLabel('Password').fill(lab.admin.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()

    await page.goto(`${lab.url}/admin/#/vouchers`)
    await page.getByRole('heading', { level: 1, name: 'Vouchers' }).waitFor()
    await page
      .getByRole('button', { name: /make vouchers/i })
      .first()
      .click()
    await page.getByLabel('How many').fill('3')
    await page.getByRole('button', { name: 'Make 3 vouchers' }).click()
    const codes = page.getByText(/^[A-Z0-9]{5}-[A-Z0-9]{5}$/)
    await codes.first().waitFor()
    const code = (await codes.first().textContent())!
    t.deepEqual(await accessibilityFaults(page), [], 'made vouchers')

    const redeem = [
      'curl',
      '-s',
      '-H',
      'content-type: application/json',
      '-d',
      JSON.stringify({ code }),
      `http://${lab.portalHost}/api/vouchers/redeem`,
    ]
    const { session } = JSON.parse((await lab.exec(lab.phones[0]!.namespace, redeem)).stdout) as {
      session: { id: number; packageName: string }
    }

    await page.goto(`${lab.url}/admin/#/sessions/${session.id}`)
    await page.getByText(lab.phones[0]!.mac).first().waitFor()
    t.deepEqual(await accessibilityFaults(page), [], 'a session')
    await page.getByRole('button', { name: 'End', exact: true }).click()
    await page.getByRole('button', { name: 'End the session' }).click()
    await page.getByText('The session is ended.').waitFor()
    const view = (await (
      await fetch(`${lab.url}/api/admin/sessions/${session.id}`, { headers: { authorization: `Bearer ${lab.admin.apiKey}` } })
    ).json()) as {
      session: { status: string; endReason: string }
    }
    t.is(view.session.status, 'expired')
    t.is(view.session.endReason, 'ended-by-staff')
    t.deepEqual(problems, [])
  } finally {
    await browser.close()
  }
})

test.serial('every screen of the owner is readable for everybody, on a laptop and on a phone', async (t) => {
  const browser = await openBrowser()
  try {
    for (const viewport of [laptopScreen, phoneScreen]) {
      const page = await browser.newPage({ viewport })
      await page.goto(`${lab.url}/admin/`)
      await page.getByLabel('Name').fill(lab.admin.username)
      await page.getByLabel('Password').fill(lab.admin.password)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('heading', { name: 'Overview' }).waitFor()
      for (const screen of ['overview', 'sessions', 'vouchers', 'packages', 'packages/new', 'settings', 'staff', 'audit']) {
        await page.goto(`${lab.url}/admin/#/${screen}`)
        await page.getByRole('heading').first().waitFor()
        await page.getByRole('progressbar', { name: /loading/i }).waitFor({ state: 'detached' })
        t.deepEqual(await accessibilityFaults(page), [], `${screen} at ${viewport.width}`)
        const sideways = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
        t.is(sideways, 0, `${screen} does not scroll sideways at ${viewport.width}`)
      }
      await page.context().close()
    }
  } finally {
    await browser.close()
  }
})
