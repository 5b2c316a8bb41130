import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { bytes, countdown, counted, money, speed } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import { useLoaded } from '../asking.ts'
import type { Health, Overview } from '../contract.ts'
import { useHear, useRefreshOn, useUsagePoints, type Usage } from '../live.ts'
import { Arrived, Waiting } from '../parts/feedback.tsx'
import { Icon, type IconName } from '../parts/icons.tsx'
import { Bar, Card, Page } from '../parts/page.tsx'

const REFRESH_MS = 30_000

/** The owner's first screen: does it work, who is on, what came in today. */
export function OverviewScreen() {
  const { api } = useAccount()
  const overview = useLoaded(() => api.get<Overview>('/api/admin/overview'))
  useRefreshOn('session', overview.reload)
  useRefreshOn('catalogue', overview.reload)
  useRefreshOn('payment', overview.reload)
  useEffect(() => {
    const timer = setInterval(overview.reload, REFRESH_MS)
    return () => clearInterval(timer)
  }, [])
  return (
    <Page title="Overview">
      <Arrived loaded={overview}>
        {(data) => (
          <div class="overview">
            <Alarms alarms={data.alarms} />
            {(data.alarms.length === 0 || !data.health.ok) && <HealthLine health={data.health} />}
            <Now overview={data} />
            <Today overview={data} />
            <div class="overview-low">
              <Card title="Last 24 hours">
                <Traffic traffic={data.traffic} />
              </Card>
              <Box overview={data} />
            </div>
          </div>
        )}
      </Arrived>
    </Page>
  )
}

/** Money that needs somebody, before everything else. */
function Alarms({ alarms }: { alarms: Overview['alarms'] }) {
  const { me } = useAccount()
  if (alarms.length === 0) return null
  return (
    <section class="trouble" role="alert">
      <Icon name="payments" size={28} />
      <div>
        <h2>{alarms.length === 1 ? 'A payment needs you' : 'Payments need you'}</h2>
        <ul>
          {alarms.map(({ kind, words, paymentId }) => (
            <li key={`${kind} ${paymentId} ${words}`}>
              {words} {paymentId !== null && <a href={`#/payments/${paymentId}`}>Payment {paymentId}</a>}
              {paymentId === null && me.role === 'owner' && <a href="#/providers">Providers</a>}
            </li>
          ))}
        </ul>
      </div>
    </section>
  )
}

const partNames: Record<keyof Health['parts'], string> = {
  database: 'Database',
  redis: 'Job queue',
  worker: 'Worker',
  gateway: 'Gateway',
  connect: 'Connect',
  disk: 'Disk',
  internet: 'Internet line',
}

/** One calm line when all is well; loud and clear when it is not. */
function HealthLine({ health }: { health: Health }) {
  const bad = troubles(health)
  if (bad.length === 0) {
    return (
      <p class="all-well" role="status">
        <Icon name="check" size={18} />
        Everything works
      </p>
    )
  }
  return (
    <section class="trouble" role="alert">
      <Icon name="alert" size={28} />
      <div>
        <h2>{bad.length === 1 ? 'One thing needs you' : `${bad.length} things need you`}</h2>
        <ul>
          {bad.map(([name, reason]) => (
            <li key={name}>
              <strong>{name}.</strong> {reason}
            </li>
          ))}
        </ul>
      </div>
    </section>
  )
}

function troubles(health: Health): [string, string][] {
  return (Object.keys(partNames) as (keyof Health['parts'])[])
    .filter((part) => !health.parts[part].ok)
    .map((part) => [partNames[part], health.parts[part].reason])
}

function Now({ overview }: { overview: Overview }) {
  const points = useUsagePoints()
  const latest = points.at(-1)
  const online = latest?.online ?? overview.online.sessions
  const { downBps, upBps } = latest ?? overview.throughput
  return (
    <section class="card now">
      <div class="now-online">
        <h2>Online now</h2>
        <p class="figure figures">{online}</p>
        <p class="soft">
          {overview.online.devices > 0 ? `on ${counted(overview.online.devices, 'device')} · ` : ''}
          <a href="#/sessions">{counted(overview.liveSessions, 'live session')}</a>
        </p>
      </div>
      <div class="now-speed">
        <h2>Speed now</h2>
        <p class="now-speeds figures">
          <span>
            <Icon name="down" size={18} />
            <span class="visually-hidden">down</span> {speed(downBps)}
          </span>
          <span class="soft">
            <Icon name="up" size={18} />
            <span class="visually-hidden">up</span> {speed(upBps)}
          </span>
        </p>
        <Sparkline points={points} />
      </div>
    </section>
  )
}

const SPARK_POINTS = 90

function Sparkline({ points }: { points: Usage[] }) {
  const highest = Math.max(1_000_000, ...points.map(({ downBps }) => downBps)) * 1.1
  const x = (at: number) => ((at + SPARK_POINTS - points.length) / (SPARK_POINTS - 1)) * 300
  const y = (bps: number) => 60 - (bps / highest) * 58
  const line = points.map(({ downBps }, at) => `${x(at).toFixed(1)},${y(downBps).toFixed(1)}`)
  return (
    <svg class="sparkline" viewBox="0 0 300 60" preserveAspectRatio="none" aria-hidden="true">
      <path class="sparkline-ground" d="M0 59.5H300" />
      {line.length > 1 && (
        <>
          <path class="sparkline-area" d={`M${line.join('L')}L300,60L${x(0).toFixed(1)},60Z`} />
          <path class="sparkline-line" d={`M${line.join('L')}`} />
        </>
      )}
    </svg>
  )
}

function Today({ overview: { today, liveSessions } }: { overview: Overview }) {
  const { settings } = useAccount()
  const figures: [IconName, string, string][] = [
    ['vouchers', 'Vouchers redeemed', today.vouchersRedeemed.toLocaleString('en-US')],
    ['sessions', 'Sessions opened', today.sessionsOpened.toLocaleString('en-US')],
    ['down', 'Data used', bytes(today.bytes)],
    ['packages', 'Sales', money(today.salesMinor, settings.currency)],
  ]
  return (
    <section aria-labelledby="today">
      <h2 id="today" class="band-title">
        Today
      </h2>
      <ul class="tiles">
        {figures.map(([icon, name, value]) => (
          <li key={name} class="card tile">
            <p class="soft">
              <Icon name={icon} size={18} />
              {name}
            </p>
            <p class="tile-figure figures">{value}</p>
          </li>
        ))}
      </ul>
      {liveSessions === 0 && today.sessionsOpened === 0 && (
        <p class="next-step">
          Nobody has been here today. <a href="#/vouchers">Make vouchers</a>, hand one out, and the first customer appears here within
          seconds.
        </p>
      )}
    </section>
  )
}

type ChartProps = { traffic: Overview['traffic'] }

/** The chart comes in its own file, so that the first screen need not wait for it. */
function Traffic({ traffic }: ChartProps) {
  const [Chart, setChart] = useState<ComponentType<ChartProps> | null>(null)
  const [failed, setFailed] = useState(false)
  const fetchChart = () =>
    import('./traffic-chart.tsx').then(
      (file) => setChart(() => file.TrafficChart),
      () => setFailed(true),
    )
  useEffect(() => void fetchChart(), [])
  useHear('resync', () => void (Chart ?? fetchChart()))
  if (traffic.every(({ downBytes, upBytes }) => downBytes + upBytes === 0)) {
    return <p class="chart-empty soft">No traffic in the last 24 hours. It is drawn here as soon as a customer is online.</p>
  }
  if (failed && !Chart) return <p class="chart-empty soft">The chart could not be fetched from the box. It comes when the line is back.</p>
  return Chart ? <Chart traffic={traffic} /> : <Waiting />
}

const HOT_C = 75

function Box({ overview: { box, health } }: { overview: Overview }) {
  const memory = share(box.memoryUsed, box.memoryTotal)
  const disk = share(box.diskUsed, box.diskTotal)
  const bad = troubles(health)
  return (
    <Card
      title="The box"
      aside={<span class="soft small">{bad.length === 0 ? 'All parts well' : `${counted(bad.length, 'part')} not well`}</span>}
    >
      <ul class="gauges figures">
        <Gauge name="Processor" text={`${Math.round(box.cpuPercent)} %`} percent={box.cpuPercent} limit={90} />
        <Gauge name="Memory" text={`${bytes(box.memoryUsed)} of ${bytes(box.memoryTotal)}`} percent={memory} limit={92} />
        <Gauge name="Disk" text={`${bytes(box.diskUsed)} of ${bytes(box.diskTotal)}`} percent={disk} limit={90} />
        {box.temperatureC !== null && (
          <Gauge name="Temperature" text={`${Math.round(box.temperatureC)} °C`} percent={box.temperatureC} limit={HOT_C} />
        )}
      </ul>
      <ul class="parts">
        {(Object.keys(partNames) as (keyof Health['parts'])[]).map((part) => (
          <li key={part} class={health.parts[part].ok ? 'ok' : 'not-ok'}>
            <Icon name={health.parts[part].ok ? 'check' : 'alert'} size={16} />
            {partNames[part]}
            {!health.parts[part].ok && <span class="visually-hidden"> is not well</span>}
          </li>
        ))}
      </ul>
      <p class="soft small">
        Up for {countdown(box.uptimeSeconds)} · version {box.version}
      </p>
    </Card>
  )
}

function Gauge({ name, text, percent, limit }: { name: string; text: string; percent: number; limit: number }) {
  return (
    <li>
      <span>{name}</span>
      <span>{text}</span>
      <Bar percent={percent} label={name} tone={percent >= limit ? 'bad' : 'quiet'} />
    </li>
  )
}

function share(used: number, total: number): number {
  return total > 0 ? (used / total) * 100 : 0
}
