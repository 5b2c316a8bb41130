import { useChange } from '../asking.ts'
import { copyText } from './copy.ts'
import { ErrorNote, useSay } from './feedback.tsx'
import { Icon } from './icons.tsx'

/** A text to take along, with a button that copies it. @param what its name in "Copy the link" */
export function CopyLine({ text, what }: { text: string; what: string }) {
  const say = useSay()
  const copying = useChange(async () => {
    await copyText(text)
    say(`The ${what} is copied.`)
  })
  return (
    <>
      <span class="copy-line">
        <span class="code">{text}</span>
        <button
          type="button"
          class="button small"
          aria-label={`Copy the ${what}`}
          disabled={copying.busy}
          onClick={() => void copying.run()}
        >
          <Icon name="copy" size={16} />
          <span>Copy</span>
        </button>
      </span>
      <ErrorNote error={copying.error} />
    </>
  )
}
