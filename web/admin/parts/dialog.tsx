import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { useChange } from '../asking.ts'
import { Button, ErrorNote } from './feedback.tsx'
import { Icon } from './icons.tsx'

type DialogProps = {
  title: string
  /** `panel` slides in from the side and leaves the list in view; `full` takes the window. */
  shape?: 'box' | 'panel' | 'full'
  onClose: () => void
  children: ComponentChildren
}

/** A modal dialog: Escape, the cross and a click beside it close it; the browser keeps the focus inside and gives it back. */
export function Dialog({ title, shape = 'box', onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null)
  const pressedBeside = useRef(false)
  const titleId = useId()
  useEffect(() => {
    const dialog = element.current
    const before = document.activeElement
    dialog?.showModal()
    return () => {
      dialog?.close()
      // The dialog leaves the page together with the focus in it; the browser alone would drop that to the top of the page.
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true })
    }
  }, [])
  const followClose = () => {
    // Browsers close a dialog over our heads at the second Escape: whoever wants to keep it (unsaved codes) gets it back.
    onClose()
    requestAnimationFrame(() => element.current?.isConnected && !element.current.open && element.current.showModal())
  }
  const isBeside = (event: Event) => event.target === element.current
  return (
    <dialog
      ref={element}
      class={`dialog ${shape}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        if (!isBeside(event)) return
        event.preventDefault()
        onClose()
      }}
      onClose={(event) => isBeside(event) && followClose()}
      onPointerDown={(event) => (pressedBeside.current = isBeside(event))}
      onClick={(event) => isBeside(event) && pressedBeside.current && onClose()}
    >
      <div class="dialog-inside">
        <header class="dialog-head">
          <h2 id={titleId} tabIndex={-1} autofocus>
            {title}
          </h2>
          <button type="button" class="button bare" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}

type ConfirmProps = {
  title: string
  children: ComponentChildren
  /** The verb on the button: "End the session". */
  verb: string
  /** The way back; said anew where nothing is kept by it. */
  keep?: string
  danger?: boolean
  act: () => Promise<unknown>
  onDone?: () => void
  onClose: () => void
}

/** Asks before something that cannot be taken back. */
export function Confirm({ title, children, verb, keep = 'Keep it as it is', danger = true, act, onDone, onClose }: ConfirmProps) {
  const change = useChange(act)
  const go = async () => {
    if (!(await change.run())) return
    onDone?.()
    onClose()
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="dialog-body stack">
        {children}
        <ErrorNote error={change.error} />
      </div>
      <footer class="dialog-foot">
        <Button onClick={onClose}>{keep}</Button>
        <Button kind={danger ? 'danger' : 'primary'} busy={change.busy} onClick={() => void go()}>
          {verb}
        </Button>
      </footer>
    </Dialog>
  )
}

type AskFormProps = {
  title: string
  verb: string
  busy: boolean
  onSubmit: () => Promise<void>
  onClose: () => void
  children: ComponentChildren
}

/** A dialog with a form: Enter sends it. */
export function AskForm({ title, verb, busy, onSubmit, onClose, children }: AskFormProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault()
          void onSubmit()
        }}
      >
        <div class="dialog-body stack">{children}</div>
        <footer class="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy}>
            {verb}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
