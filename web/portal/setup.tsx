import { useState } from 'preact/hooks'
import type { ConnectAnswer } from '../../server/connect/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import './setup.css'
import { claimProfile, renewProfile, type Way } from './box.ts'
import type { Errand } from './connect.tsx'
import { useNearest, type Measured } from './nearest.ts'
import { BackBar, Button, Failure, Title } from './parts.tsx'
import { Ready } from './ready.tsx'
import { useTask } from './state.ts'

type SetupProps = { portal: Portal; errand: Errand; onClose: () => void }

/** Makes a profile, by the way that the reader chooses where there are several, and shows it this once. */
export function Setup({ portal, errand, onClose }: SetupProps) {
  const [answer, setAnswer] = useState(errand.answer)
  if (!answer) return <Choose portal={portal} make={errand.make} onMade={setAnswer} onClose={onClose} />
  const renew = async (way: Way) => setAnswer(await renewProfile(answer.connect_id, way))
  return <Ready key={answer.link_url} portal={portal} answer={answer} renew={renew} onClose={onClose} />
}

type ClaimProps = { portal: Portal; token: string; onClose: () => void }

/** Where a one-time link leads. It is used up by the button only: whoever shows a preview of links opens the page, too. */
export function Claim({ portal, token, onClose }: ClaimProps) {
  const { words } = portal.connect
  const [answer, setAnswer] = useState<ConnectAnswer | null>(null)
  const task = useTask()
  // Not offered to make it anew here: this device need not be a customer of the session.
  if (answer) return <Ready portal={portal} answer={answer} renew={null} onClose={onClose} />
  return (
    <main class="single start">
      <BackBar venue={portal.venue} onBack={onClose} />
      <Title venue={portal.venue.venueName}>{`Open ${words.product} on this device`}</Title>
      <p class="lead">
        Your {words.profile} moves to this device. It works here from then on, and no longer on the device that made the link.
      </p>
      <p class="soft">This link works once. Press the button only on the device that you want to use.</p>
      {task.failure && <Failure failure={task.failure} />}
      {task.failure?.code === 'link-unknown' || task.failure?.code === 'bad-input' ? (
        <Button kind="second" onClick={onClose}>
          To the first page
        </Button>
      ) : (
        <Button
          busy={task.busy}
          busyText="Making it yours…"
          icon="arrow"
          onClick={() => void task.run(async () => setAnswer(await claimProfile(token)))}
        >
          {`Show my ${words.code}`}
        </Button>
      )}
    </main>
  )
}

type ChooseProps = { portal: Portal; make: Errand['make']; onMade: (answer: ConnectAnswer) => void; onClose: () => void }

function Choose({ portal, make, onMade, onClose }: ChooseProps) {
  const { words, endpoints } = portal.connect
  const { list, done } = useNearest(endpoints)
  const [picked, pick] = useState<number | null>(null)
  const task = useTask()
  const chosen = picked ?? (done ? list[0]?.endpoint.id : undefined)
  return (
    <main class="single start">
      <BackBar venue={portal.venue} onBack={onClose} />
      <Title venue={portal.venue.venueName}>{`${words.product} Setup`}</Title>
      <p class="lead">Where shall your connection go in? The nearest is the fastest.</p>
      <fieldset class="card ways">
        <legend class="visually-hidden">Way in</legend>
        {list.map(({ endpoint, time }) => (
          <label key={endpoint.id} class="way">
            <input type="radio" name="way" checked={chosen === endpoint.id} onChange={() => pick(endpoint.id)} />
            <span class="way-name">
              {endpoint.name}
              {endpoint.region && <span class="small soft">{endpoint.region}</span>}
            </span>
            <span class="way-time figures">
              <Time time={time} />
            </span>
          </label>
        ))}
      </fieldset>
      <p class="small soft" role="status">
        {done ? nearestWords(list[0]) : 'Measuring how far each one is from here…'}
      </p>
      {task.failure && <Failure failure={task.failure} />}
      <Button
        busy={task.busy || chosen === undefined}
        busyText={task.busy ? 'Making your profile…' : 'Finding the nearest…'}
        onClick={() => void task.run(async () => onMade(await make({ endpoint_id: chosen! })))}
      >
        Generate Connect Code
      </Button>
    </main>
  )
}

function nearestWords(first: Measured | undefined): string {
  return first?.time ? `${first.endpoint.name} is the nearest.` : 'None of them answered from here. You can choose one all the same.'
}

function Time({ time }: Pick<Measured, 'time'>) {
  if (time) return <>{`${time.sure ? '' : 'about '}${Math.max(1, Math.round(time.ms))} ms`}</>
  if (time === null) return <span class="soft">no answer</span>
  return (
    <>
      <span class="spinner" aria-hidden="true" />
      <span class="visually-hidden">being measured</span>
    </>
  )
}
