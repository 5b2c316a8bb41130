import { useState } from 'preact/hooks'
import { moment } from '../../shared/format.ts'
import { useAccount } from '../account.ts'
import type { ConnectAnswer } from '../contract.ts'
import { CopyLine } from '../parts/copy-line.tsx'
import { Confirm, Dialog } from '../parts/dialog.tsx'
import { Button, Notice } from '../parts/feedback.tsx'

type MadeProps = {
  made: ConnectAnswer
  customer: string
  /** The new profile was seen at work: the customer has it. */
  active: boolean
  onClose: () => void
}

/** A profile just made: the only moment at which its QR code can be shown. It does not go away by accident. */
export function MadeProfile({ made, customer, active, onClose }: MadeProps) {
  const { settings } = useAccount()
  const [leaving, setLeaving] = useState(false)
  const { code } = settings.connectWords
  const leave = () => (active ? onClose() : setLeaving(true))
  return (
    <Dialog title={`${code} for ${customer}`} shape="full" onClose={leave}>
      <div class="dialog-body made-profile" tabIndex={0}>
        <figure class="profile-qr">
          <img src={`data:image/svg+xml,${encodeURIComponent(made.profile_svg)}`} alt={`${code}: let the customer scan it`} />
          <figcaption class="soft small">{made.name}</figcaption>
        </figure>
        <div class="stack">
          {active ? (
            <Notice kind="good">
              <p>
                <strong>Connect Profile Active.</strong> It works: you can close this.
              </p>
            </Notice>
          ) : (
            <Notice kind="warn">
              <p>
                <strong>Let the customer scan it now: it is shown this once.</strong> The box does not keep it.
              </p>
            </Notice>
          )}
          <ol class="profile-steps">
            {made.setup_instructions.map((step) => (
              <li key={step}>{step.replace(/^\d+\.\s*/, '')}</li>
            ))}
          </ol>
          <section>
            <h3>Or by a link that works once</h3>
            <p class="soft small profile-link-note">
              For a device that cannot scan, on this Wi-Fi. Until {moment(made.link_expires_at)}; whoever opens it has the profile then, and
              this code stops working.
            </p>
            <CopyLine text={made.link_url} what="link" />
          </section>
        </div>
      </div>
      <footer class="dialog-foot">
        <Button kind={active ? 'primary' : 'plain'} onClick={leave}>
          Done
        </Button>
      </footer>
      {leaving && (
        <Confirm
          title="Has the customer scanned it?"
          verb="Close, they have it"
          keep="Go back"
          danger={false}
          act={async () => onClose()}
          onClose={() => setLeaving(false)}
        >
          <p>After this the code is not shown again. If it did not work, revoke this profile and make another.</p>
        </Confirm>
      )}
    </Dialog>
  )
}
