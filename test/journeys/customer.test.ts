import test from 'ava'
import { until } from '#lab/run.ts'
import type { SessionView } from '#server/sessions/schema.ts'
import { GB, MB } from '#server/units.ts'
import { openVenue, type Venue } from '#test/gateway/venue.ts'

let venue: Venue
test.before(async () => {
  venue = await openVenue('customer')
})
test.after.always(() => venue?.lab.stop())
test.afterEach.always(async () => {
  const { sessions } = await venue.api<{ sessions: SessionView[] }>('/api/admin/sessions?status=all&pageSize=200')
  for (const { id, status } of sessions) if (status !== 'expired') await venue.api(`/api/admin/sessions/${id}/end`, {})
  await venue.api('/api/admin/settings', { whenDevicesFull: 'drop-oldest' }, 'PATCH')
})

type Redeemed = { session: SessionView; outcome: string; error?: { code: string; details: Record<string, unknown> } }
const redeem = (phone: Venue['phone1'], code: string, more: object = {}) =>
  venue.ask<Redeemed>(phone, '/api/vouchers/redeem', { code, ...more })
const passes = async (phone: Venue['phone1']) => {
  const { stdout } = await venue.lab.exec(phone.namespace, [
    'curl',
    '-s',
    '-m',
    '3',
    '-o',
    '/dev/null',
    '-w',
    '%{http_code}',
    'http://connectivitycheck.gstatic.com/generate_204',
  ])
  return stdout === '204'
}

test.serial('events tell a screen everything: the session, its use, a top-up, and the end', async (t) => {
  const { phone1, lab } = venue
  const [first, second] = [await venue.sell({ dataLimit: 2 * MB }), await venue.sell({ dataLimit: MB })]
  await redeem(phone1, first)
  const child = lab.spawn(phone1.namespace, ['curl', '-sN', `http://${lab.portalHost}/api/me/session/events`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let heard = ''
  child.stdout?.on('data', (chunk: Buffer) => (heard += chunk))
  const event = (name: string) => until(name, () => heard.includes(`event: ${name}\n`), 15_000)
  await event('session')
  await lab.exec(phone1.namespace, ['curl', '-s', '-o', '/dev/null', `http://${lab.internet.address}/bytes/${MB}`])
  await event('usage')
  await redeem(phone1, second)
  await event('topped-up')
  await lab.exec(phone1.namespace, ['curl', '-s', '-m', '2', '-o', '/dev/null', `http://${lab.internet.address}/bytes/${9 * MB}`], {
    allowFailure: true,
  })
  await event('ended')
  child.kill('SIGKILL')
  const last = JSON.parse(heard.split('event: ended\ndata: ')[1]!.split('\n')[0]!) as { session: SessionView }
  t.like(last.session, { status: 'expired', endReason: 'data', dataUsed: 3 * MB, dataLimit: 3 * MB })
})

test.serial('another kind of package waits, and begins by itself when the first is used up', async (t) => {
  const { phone1, lab } = venue
  const { body: opened } = await redeem(phone1, await venue.sell({ dataLimit: MB }))
  const { body: kept } = await redeem(phone1, await venue.sell({ dataLimit: null }))
  t.is(kept.outcome, 'waiting')
  t.is(kept.session.status, 'ready')
  await lab.exec(phone1.namespace, ['curl', '-s', '-m', '3', '-o', '/dev/null', `http://${lab.internet.address}/bytes/${5 * MB}`], {
    allowFailure: true,
  })
  await until('the second has begun', async () => (await venue.session(kept.session.id)).status !== 'ready', 10_000)
  t.is((await venue.session(opened.session.id)).endReason, 'data')
  await until('and carries', () => passes(phone1), 10_000)
})

test.serial('a session moves to a new phone by its code, or is refused, as the owner chose', async (t) => {
  const { phone1, phone2 } = venue
  const { body } = await redeem(phone1, await venue.sell())
  const resume = () => venue.ask<Redeemed>(phone2, '/api/sessions/resume', { code: body.session.resumeCode })
  await venue.api('/api/admin/settings', { whenDevicesFull: 'refuse-new' }, 'PATCH')
  const refused = await resume()
  t.is(refused.status, 409)
  t.is(refused.body.error?.code, 'devices-full')
  t.false(await passes(phone2))
  await venue.api('/api/admin/settings', { whenDevicesFull: 'drop-oldest' }, 'PATCH')
  t.is((await resume()).status, 200)
  t.true(await passes(phone2))
  t.false(await passes(phone1), 'the old phone has lost its place')
})

test.serial('the captive portal API says the same as the gateway (RFC 8908)', async (t) => {
  const { phone1, lab } = venue
  const api = async (accept: string) =>
    (await lab.exec(phone1.namespace, ['curl', '-si', '-H', `Accept: ${accept}`, `http://${lab.portalHost}/captive-portal/api`])).stdout
  const json = (answer: string) => JSON.parse(answer.split('\r\n\r\n')[1]!) as Record<string, unknown>
  const captive = await api('application/captive+json')
  t.regex(captive, /content-type: application\/captive\+json/i)
  t.regex(captive, /cache-control: private, no-store/i)
  t.deepEqual(json(captive), { captive: true, 'user-portal-url': `http://${lab.portalHost}/`, 'can-extend-session': true })
  await redeem(phone1, await venue.sell({ dataLimit: 5 * MB }))
  const free = json(await api('application/captive+json'))
  t.is(free['captive'], false)
  t.is(free['bytes-remaining'], 5 * MB)
  t.true(Number(free['seconds-remaining']) > 3500)
  t.regex(await api('text/html'), /^HTTP\/1.1 302[^]*location: http:\/\/kswifi.internal\//i)
})

test.serial('free data has its limit by device, and by phone number on another device', async (t) => {
  const { phone1, phone2, api } = venue
  const { packages } = await api<{ packages: { id: number; name: string }[] }>('/api/admin/packages')
  const free = async (name: string) =>
    (await api<{ codes: string[] }>('/api/admin/vouchers', { packageId: packages.find((one) => one.name === name)!.id, count: 1 }))
      .codes[0]!
  t.is((await redeem(phone1, await free('Free 3 GB'), { phone: '256771234567' })).status, 201)
  const refusedCode = await free('Free 3 GB')
  const refused = await redeem(phone1, refusedCode)
  t.is(refused.body.error?.code, 'limit-reached')
  t.is(refused.body.error?.details['usedBytes'], 3 * GB)
  t.is((await redeem(phone2, refusedCode, { phone: '+256 771 234567' })).body.error?.code, 'limit-reached')
  t.is((await redeem(phone2, refusedCode)).status, 201, 'a refusal left the voucher whole, and another customer may have it')
})

test.serial('nobody reads or names a session that is not theirs', async (t) => {
  const { phone1, phone2, lab } = venue
  const { body } = await redeem(phone1, await venue.sell())
  const url = `http://${lab.portalHost}/api/me/session`
  const { id } = body.session
  // This phone may see one that it had itself before, and no other.
  for (const cookie of [`kswifi=${id}`, `kswifi=${id}; kswifi.sig=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`]) {
    const { stdout } = await lab.exec(phone2.namespace, ['curl', '-s', '-H', `Cookie: ${cookie}`, url])
    const said = JSON.parse(stdout) as { session?: SessionView }
    t.not(said.session?.id, id)
  }
  t.true((await venue.ask(phone2, '/api/me/session/disconnect', {})).status >= 400)
  t.true(await passes(phone1))
})
