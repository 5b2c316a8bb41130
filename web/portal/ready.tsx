import { useState } from 'preact/hooks'
import type { ConnectAnswer, EndpointView } from '../../server/connect/schema.ts'
import type { Portal } from '../../server/venue/schema.ts'
import { moment } from '../shared/format.ts'
import type { Way } from './box.ts'
import { BackBar, Button, Failure, Notice, Title } from './parts.tsx'
import { guessPlatform, platforms, type Platform } from './platforms.ts'
import { copyText, saveText } from './save.ts'
import { useTask } from './state.ts'

type ReadyProps = {
  portal: Portal
  answer: ConnectAnswer
  /** Makes it anew, going in another way; null where the reader may not. */
  renew: ((way: Way) => Promise<void>) | null
  onClose: () => void
}

/** A profile that was just made: on this device, or on another one. */
export function Ready({ portal, answer, renew, onClose }: ReadyProps) {
  const { words } = portal.connect
  const [platform, setPlatform] = useState(guessPlatform)
  const phone = platform.id === 'android' || platform.id === 'iphone'
  const here = <Here key="here" answer={answer} platform={platform} onPlatform={setPlatform} />
  const scan = <Scan key="scan" answer={answer} words={words} phone={phone} />
  const [first] = useState(phone)
  return (
    <main class="setup">
      <BackBar venue={portal.venue} onBack={onClose} />
      <div class="setup-head">
        <Title venue={portal.venue.venueName}>{`${words.product} Setup`}</Title>
        <p class="lead">
          Your {words.profile} “{answer.name}” is ready.
        </p>
        <Notice kind="warn">
          <p>
            <strong>Shown once.</strong> The key in it is not kept here; make a new one if it is lost.
          </p>
        </Notice>
        {answer.venue_only && (
          <Notice kind="bad" title="Only on the Wi-Fi here, for now">
            <p>{portal.venue.venueName} cannot be reached from outside yet. Elsewhere this profile does not connect.</p>
          </Notice>
        )}
      </div>
      {/* A phone cannot scan its own screen; to a computer's screen one comes with a phone. */}
      <div class="columns">
        {first ? [here, scan] : [scan, here]}
        <Elsewhere key="elsewhere" answer={answer} venueName={portal.venue.venueName} />
        <div class="column">
          {renew && <OtherPort answer={answer} endpoints={portal.connect.endpoints} renew={renew} />}
          <Button kind="second" onClick={onClose}>
            Done
          </Button>
        </div>
      </div>
    </main>
  )
}

type HereProps = { answer: ConnectAnswer; platform: Platform; onPlatform: (platform: Platform) => void }

function Here({ answer, platform, onPlatform }: HereProps) {
  const [said, say] = useState('')
  const [bare, setBare] = useState(false)
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!step) return
    event.preventDefault()
    const next = platforms[(platforms.indexOf(platform) + step + platforms.length) % platforms.length]!
    onPlatform(next)
    document.getElementById(`tab-${next.id}`)?.focus()
  }
  return (
    <section class="card" aria-labelledby="here-title">
      <h2 id="here-title">On this device</h2>
      <div class="tabs" role="tablist" aria-labelledby="here-title">
        {platforms.map((one) => (
          <button
            key={one.id}
            id={`tab-${one.id}`}
            type="button"
            role="tab"
            class="tab"
            aria-selected={one === platform}
            aria-controls="tab-panel"
            tabIndex={one === platform ? 0 : -1}
            onClick={() => onPlatform(one)}
            onKeyDown={move}
          >
            {one.label}
          </button>
        ))}
      </div>
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${platform.id}`} class="tab-panel">
        <ol class="steps">
          {platform.steps(answer.profile_file).map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
        <p class="small soft">{platform.otherwise}</p>
      </div>
      <Button
        icon="down"
        onClick={() => {
          saveText(answer.profile_text, answer.profile_file)
          say(`Look for ${answer.profile_file} in your downloads.`)
        }}
      >
        Save the profile
      </Button>
      <Button
        kind="second"
        onClick={() => {
          const copied = copyText(answer.profile_text)
          say(copied ? 'The profile is copied.' : 'This browser does not copy: mark the text below and copy it yourself.')
          setBare(!copied)
        }}
      >
        Copy the profile
      </Button>
      <p class="said small center" role="status">
        {said}
      </p>
      {bare && <textarea class="input bare" readOnly rows={8} aria-label="The profile as text" value={answer.profile_text} />}
    </section>
  )
}

function Scan({ answer, words, phone }: { answer: ConnectAnswer; words: Portal['connect']['words']; phone: boolean }) {
  return (
    <section class="card scan" aria-labelledby="scan-title">
      <h2 id="scan-title">{phone ? 'On another device, by its camera' : 'On your phone, by its camera'}</h2>
      <p class="soft">Scan to activate {words.access}.</p>
      <img class="qr" src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(answer.profile_svg)}`} alt={words.code} />
      <ol class="steps">
        {answer.setup_instructions.map((text) => (
          <li key={text}>{text.replace(/^\d+[.)]\s*/, '')}</li>
        ))}
      </ol>
      {answer.expires_at && <p class="small soft">It works until {moment(answer.expires_at)}, or until the data is used up.</p>}
    </section>
  )
}

function Elsewhere({ answer, venueName }: { answer: ConnectAnswer; venueName: string }) {
  const [said, say] = useState('')
  return (
    <section class="card" aria-labelledby="elsewhere-title">
      <h2 id="elsewhere-title">Open on another device</h2>
      <p>
        Open this link there, on the Wi-Fi of {venueName}. It works once, until {moment(answer.link_expires_at)}. The profile then works on
        that device, and no longer here.
      </p>
      <p class="link-url">{answer.link_url}</p>
      <div class={'share' in navigator ? 'choices' : ''}>
        <Button
          kind="second"
          onClick={() =>
            say(copyText(answer.link_url) ? 'The link is copied.' : 'This browser does not copy: mark the link and copy it yourself.')
          }
        >
          Copy the link
        </Button>
        {'share' in navigator && (
          // Closing the phone's own sheet is no fault.
          <Button kind="second" onClick={() => void navigator.share({ url: answer.link_url }).catch(() => {})}>
            Share the link
          </Button>
        )}
      </div>
      <p class="said small center" role="status">
        {said}
      </p>
    </section>
  )
}

type OtherPortProps = { answer: ConnectAnswer; endpoints: EndpointView[]; renew: (way: Way) => Promise<void> }

/** For networks that let little through: the same profile, going in by another port. */
function OtherPort({ answer, endpoints, renew }: OtherPortProps) {
  const task = useTask()
  const [, host, port] = /^Endpoint\s*=\s*\[?([^\s\]]+?)\]?:(\d+)\s*$/m.exec(answer.profile_text) ?? []
  const endpoint = endpoints.find((one) => one.host === host) ?? endpoints.find((one) => one.self) ?? endpoints[0]
  const others = endpoint?.ports.filter((one) => one !== Number(port)) ?? []
  if (!endpoint || others.length === 0) return null
  return (
    <section class="card slim" aria-labelledby="port-title">
      <h2 id="port-title">A network that blocks it?</h2>
      <p class="soft">At work, in schools and hotels another port may get through. This makes a new one: the copy above stops working.</p>
      {task.failure && <Failure failure={task.failure} />}
      {others.map((one) => (
        <Button
          key={one}
          kind="second"
          busy={task.busy}
          busyText="Making a new one…"
          onClick={() => void task.run(() => renew({ endpoint_id: endpoint.id, port: one }))}
        >
          Use port {one}
        </Button>
      ))}
    </section>
  )
}
