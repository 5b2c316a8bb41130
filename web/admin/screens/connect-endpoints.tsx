import { useState } from 'preact/hooks'
import { useAccount } from '../account.ts'
import { useChange, useMedia } from '../asking.ts'
import type { EndpointView } from '../contract.ts'
import { faultOf, faultWithin } from '../faults.ts'
import { AskForm, Confirm } from '../parts/dialog.tsx'
import { Button, ErrorNote, useSay } from '../parts/feedback.tsx'
import { TextField } from '../parts/form.tsx'
import { Icon } from '../parts/icons.tsx'
import { ListField } from '../parts/list-field.tsx'
import { Badge, Card } from '../parts/page.tsx'

type Asking = { what: 'add' } | { what: 'edit' | 'remove'; endpoint: EndpointView }
type EndpointsProps = { endpoints: EndpointView[]; lineAddress: string | null; onChanged: () => void }

/** The addresses under which the tunnel is entered. */
export function Endpoints({ endpoints, lineAddress, onChanged }: EndpointsProps) {
  const { me, api } = useAccount()
  const say = useSay()
  const [asking, setAsking] = useState<Asking | null>(null)
  const close = () => setAsking(null)
  const mayChange = me.role === 'owner'
  const ask = mayChange ? setAsking : null
  return (
    <Card
      flush
      title="Endpoints"
      aside={
        mayChange && (
          <Button icon="plus" onClick={() => setAsking({ what: 'add' })}>
            New endpoint
          </Button>
        )
      }
    >
      <p class="connect-hint soft">
        An endpoint is an address that leads to this box from outside: its own, a second line, or a relay that hands UDP on. The customer's
        page offers the nearest first.
      </p>
      <EndpointList endpoints={endpoints} lineAddress={lineAddress} ask={ask} />
      {asking && asking.what !== 'remove' && (
        <EndpointForm known={asking.what === 'edit' ? asking.endpoint : null} onSaved={onChanged} onClose={close} />
      )}
      {asking?.what === 'remove' && (
        <Confirm
          title={`Remove ${asking.endpoint.name}?`}
          verb="Remove it"
          act={() => api.remove(`/api/admin/connect/endpoints/${asking.endpoint.id}`)}
          onDone={() => {
            say(`${asking.endpoint.name} is removed.`)
            onChanged()
          }}
          onClose={close}
        >
          <p>
            It is no longer offered for new profiles. Profiles that were made for it keep its address: they work as long as that address
            still leads here.
          </p>
        </Confirm>
      )}
    </Card>
  )
}

type ListProps = { endpoints: EndpointView[]; lineAddress: string | null; ask: ((asking: Asking) => void) | null }

function EndpointList({ endpoints, lineAddress, ask }: ListProps) {
  const isWide = useMedia('(min-width: 760px)')
  if (!isWide) {
    return (
      <ul class="rows endpoint-rows">
        {endpoints.map((endpoint) => (
          <li key={endpoint.id}>
            <span class="row-main">
              <strong>{endpoint.name}</strong> {endpoint.self && <Badge kind="accent">This box</Badge>}
              {endpoint.region && <small class="soft">{endpoint.region}</small>}
              <small>
                <Host endpoint={endpoint} lineAddress={lineAddress} />
              </small>
              <small class="soft figures">UDP {endpoint.ports.join(', ')}</small>
            </span>
            {ask && (
              <span class="row-actions">
                <EndpointActions endpoint={endpoint} ask={ask} />
              </span>
            )}
          </li>
        ))}
      </ul>
    )
  }
  return (
    <table class="table">
      <thead>
        <tr>
          <th>Name</th>
          <th>Region</th>
          <th>Host</th>
          <th>UDP ports</th>
          {ask && (
            <th>
              <span class="visually-hidden">What can be done</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {endpoints.map((endpoint) => (
          <tr key={endpoint.id}>
            <td>
              <strong>{endpoint.name}</strong> {endpoint.self && <Badge kind="accent">This box</Badge>}
            </td>
            <td>{endpoint.region || <span class="soft">–</span>}</td>
            <td>
              <Host endpoint={endpoint} lineAddress={lineAddress} />
            </td>
            <td class="figures">{endpoint.ports.join(', ')}</td>
            {ask && (
              <td class="to-right">
                <EndpointActions endpoint={endpoint} ask={ask} />
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Host({ endpoint, lineAddress }: { endpoint: EndpointView; lineAddress: string | null }) {
  if (endpoint.host) return <span class="code endpoint-host">{endpoint.host}</span>
  return <>The line's own address {lineAddress && <span class="code soft">{lineAddress}</span>}</>
}

function EndpointActions({ endpoint, ask }: { endpoint: EndpointView; ask: (asking: Asking) => void }) {
  return (
    <span class="endpoint-actions">
      <button type="button" class="button small" aria-label={`Edit ${endpoint.name}`} onClick={() => ask({ what: 'edit', endpoint })}>
        <Icon name="edit" size={16} />
        <span>Edit</span>
      </button>
      {!endpoint.self && (
        <button type="button" class="button small" aria-label={`Remove ${endpoint.name}`} onClick={() => ask({ what: 'remove', endpoint })}>
          Remove
        </button>
      )}
    </span>
  )
}

type Draft = { name: string; region: string; host: string; ports: string[] }
type FormProps = { known: EndpointView | null; onSaved: () => void; onClose: () => void }

function EndpointForm({ known, onSaved, onClose }: FormProps) {
  const { api } = useAccount()
  const say = useSay()
  const [draft, setDraft] = useState<Draft>(() => draftOf(known))
  const set = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }))
  const saving = useChange(async () => {
    if (!known) return api.post('/api/admin/connect/endpoints', bodyOf(draft))
    const [before, after] = [bodyOf(draftOf(known)), bodyOf(draft)]
    const changes = Object.entries(after).filter(([key, value]) => String(value) !== String(before[key as keyof typeof before]))
    if (changes.length > 0) await api.patch(`/api/admin/connect/endpoints/${known.id}`, Object.fromEntries(changes))
  })
  const save = async () => {
    if (!(await saving.run())) return
    say(known ? `${draft.name.trim()} is changed.` : `${draft.name.trim()} is added.`)
    onSaved()
    onClose()
  }
  const fault = (path: string) => faultOf(saving.error, path)
  return (
    <AskForm
      title={known ? `Change ${known.name}` : 'New endpoint'}
      verb={known ? 'Save' : 'Add it'}
      busy={saving.busy}
      onSubmit={save}
      onClose={onClose}
    >
      <ErrorNote error={saving.error} />
      {!known && <p>An address that leads to this box from outside: its own, a second line, or a relay that hands UDP on.</p>}
      <TextField
        label="Name"
        hint="Customers see it when they choose between several."
        value={draft.name}
        onValue={(name) => set({ name })}
        fault={fault('name')}
        maxLength={40}
        required
      />
      <TextField
        label="Region"
        hint="Where it stands, such as Kampala or Europe. May stay empty."
        value={draft.region}
        onValue={(region) => set({ region })}
        fault={fault('region')}
        maxLength={40}
      />
      <TextField
        label="Host"
        code
        hint={
          known?.self
            ? "A name such as cafe.example.com, or an IPv4 address. Empty: the line's own address."
            : 'A name such as cafe.example.com, or an IPv4 address.'
        }
        value={draft.host}
        onValue={(host) => set({ host })}
        fault={fault('host')}
        maxLength={253}
        autocomplete="off"
        required={!known?.self}
      />
      <ListField
        label="UDP ports"
        hint="With commas between, four at most. The first is taken unless a customer asks for another; 443 passes strict networks."
        value={draft.ports}
        onValue={(ports) => set({ ports })}
        fault={faultWithin(saving.error, 'ports')}
        maxLength={40}
        required
      />
    </AskForm>
  )
}

function draftOf(known: EndpointView | null): Draft {
  if (!known) return { name: '', region: '', host: '', ports: ['51820'] }
  return { name: known.name, region: known.region, host: known.host ?? '', ports: known.ports.map(String) }
}

/** What is no number goes as it was typed: the server says what is wrong with it. */
function bodyOf({ name, region, host, ports }: Draft) {
  return {
    name: name.trim(),
    region: region.trim(),
    host: host.trim() || null,
    ports: ports.map((port) => (/^\d+$/.test(port) ? Number(port) : port)),
  }
}
