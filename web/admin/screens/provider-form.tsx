import { useState } from 'preact/hooks'
import { useAccount } from '../account.ts'
import { useChange } from '../asking.ts'
import type { AccountView } from '../contract.ts'
import { faultOf } from '../faults.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Button, ErrorNote, Notice, useSay } from '../parts/feedback.tsx'
import { Field, TextField, Toggle } from '../parts/form.tsx'

type AccountField = AccountView['fields'][number]
type FormProps = { account: AccountView; onSaved: () => void; onClose: () => void }

/** Sets up one account. Only what was changed is sent; a secret left empty stays as it is. */
export function ProviderForm({ account, onSaved, onClose }: FormProps) {
  const { api } = useAccount()
  const say = useSay()
  const [enabled, setEnabled] = useState(account.enabled)
  const [values, setValues] = useState<Record<string, string>>(() =>
    Object.fromEntries(account.fields.map(({ key, value }) => [key, value])),
  )
  const changes = changesOf(account, enabled, values)
  const saving = useChange(() => api.patch(`/api/admin/accounts/${account.name}`, changes))
  const save = async () => {
    if (Object.keys(changes).length > 0) {
      if (!(await saving.run())) return
      say(`${account.title} is saved.`)
      onSaved()
    }
    onClose()
  }
  return (
    <Dialog title={account.title} shape="panel" onClose={onClose}>
      <form
        class="dialog-form"
        autocomplete="off"
        onSubmit={(event) => {
          event.preventDefault()
          void save()
        }}
      >
        <div class="dialog-body stack" tabIndex={0}>
          <Toggle
            label={account.use === 'sms' ? 'Send messages through it' : 'Offer it to customers'}
            hint="Only once nothing is missing."
            on={enabled}
            onValue={setEnabled}
          />
          {account.missing.length > 0 && (
            <Notice kind="info">
              <p>Still missing: {account.missing.join(', ')}.</p>
            </Notice>
          )}
          {account.fields.map((field) => (
            <ValueField
              key={field.key}
              field={field}
              value={values[field.key] ?? ''}
              onValue={(value) => setValues((before) => ({ ...before, [field.key]: value }))}
              fault={faultOf(saving.error, `values.${field.key}`)}
            />
          ))}
          <ErrorNote error={saving.error} />
        </div>
        <footer class="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={saving.busy}>
            Save
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}

type ValueProps = { field: AccountField; value: string; onValue: (value: string) => void; fault: string | undefined }

/** Any field of any account: a choice, a secret, or a text. */
function ValueField({ field, value, onValue, fault }: ValueProps) {
  if (field.choices) {
    return (
      <Field label={field.label} hint={field.help} fault={fault}>
        {({ id, described }) => (
          <select id={id} class="input" value={value} aria-describedby={described} onChange={(event) => onValue(event.currentTarget.value)}>
            {!field.choices?.includes(value) && <option value={value}>{value || 'Please choose'}</option>}
            {field.choices?.map((choice) => (
              <option key={choice} value={choice}>
                {choice}
              </option>
            ))}
          </select>
        )}
      </Field>
    )
  }
  const kept = field.secret && field.isSet
  return (
    <TextField
      label={field.label}
      hint={[kept ? 'Set. Leave it empty to keep it.' : '', field.help].filter(Boolean).join(' ')}
      type={field.secret ? 'password' : 'text'}
      code={!field.secret}
      placeholder={kept ? '••••••••' : ''}
      value={value}
      onValue={onValue}
      fault={fault}
      maxLength={500}
      // Browsers would offer the owner's own password here.
      autocomplete={field.secret ? 'new-password' : 'off'}
    />
  )
}

function changesOf(account: AccountView, enabled: boolean, values: Record<string, string>) {
  const changed = account.fields.filter(({ key, value }) => (values[key] ?? '').trim() !== value)
  return {
    ...(enabled === account.enabled ? {} : { enabled }),
    ...(changed.length === 0 ? {} : { values: Object.fromEntries(changed.map(({ key }) => [key, (values[key] ?? '').trim()])) }),
  }
}
