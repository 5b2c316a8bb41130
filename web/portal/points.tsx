import { useEffect, useState } from 'preact/hooks'
import type { PointsAnswer, PointsEntry } from '../../server/loyalty/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import { counted, money, moment } from '../shared/format.ts'
import { BackBar, Button, Failure, Title } from './parts.tsx'
import { useTask, type Go } from './state.ts'
import { askPoints } from './till.ts'

/** The balance, what it buys here, and how it came about. */
export function Points({ portal, go, refresh }: { portal: Portal; go: Go; refresh: () => Promise<void> }) {
  const [points, setPoints] = useState<PointsAnswer | null>(null)
  const task = useTask()
  const ask = () => void task.run(async () => setPoints(await askPoints()))
  useEffect(ask, [])
  // A login that ran out: once the portal knows, the way to this page asks for a new one.
  useEffect(() => void (task.failure?.code === 'not-signed-in' && refresh()), [task.failure])
  const offers = portal.packages.filter((item) => !item.archived && item.pointsPrice !== null)
  return (
    <main class="single start">
      <BackBar venue={portal.venue} onBack={() => go('account')} />
      <Title venue={portal.venue.venueName}>Points</Title>
      {task.busy && <p class="spinner large" aria-hidden="true" />}
      {task.failure && <Failure failure={task.failure} />}
      {task.failure && <Button onClick={ask}>Try again</Button>}
      {points && (
        <>
          <section class="card ticketed stub figures" aria-label="Balance">
            <p class="balance">{points.balance.toLocaleString('en-US')}</p>
            <p>{points.balance === 1 ? 'point' : 'points'}</p>
          </section>
          {offers.length > 0 && portal.services.points && (
            <section class="card" aria-labelledby="offers-title">
              <h2 id="offers-title">For your points</h2>
              <ul class="past">
                {offers.map((item) => (
                  <li key={item.id}>
                    <p>
                      {item.name}
                      <span class="small soft figures">instead of {money(item.priceMinor, item.currency)}</span>
                    </p>
                    {points.balance >= item.pointsPrice! ? (
                      <Button kind="second" onClick={() => go('buy', String(item.id))}>
                        {counted(item.pointsPrice!, 'point')}
                        <span class="visually-hidden"> for {item.name}</span>
                      </Button>
                    ) : (
                      <p class="figures">
                        {counted(item.pointsPrice!, 'point')}
                        <span class="small soft">{(item.pointsPrice! - points.balance).toLocaleString('en-US')} to go</span>
                      </p>
                    )}
                  </li>
                ))}
              </ul>
            </section>
          )}
          <section class="card" aria-labelledby="entries-title">
            <h2 id="entries-title">How they came about</h2>
            {points.entries.length === 0 && <p class="soft">You earn points with what you buy.</p>}
            <ul class="past">
              {points.entries.map((entry) => (
                <li key={entry.id}>
                  <p>
                    {kinds[entry.kind]}
                    <span class="small soft figures">
                      {moment(entry.at)}
                      {entry.reason && ` · ${entry.reason}`}
                    </span>
                  </p>
                  <strong class="figures">
                    {entry.delta > 0 ? '+' : '−'}
                    {Math.abs(entry.delta).toLocaleString('en-US')}
                  </strong>
                </li>
              ))}
            </ul>
          </section>
        </>
      )}
    </main>
  )
}

const kinds: Record<PointsEntry['kind'], string> = {
  earned: 'Earned with a purchase',
  redeemed: 'Used for a package',
  'taken-back': 'Taken back with a refund',
  corrected: 'Corrected by the staff',
}
