import { useState } from 'preact/hooks'
import type { ComponentChildren } from 'preact'
import { TextField } from './form.tsx'

type ListProps = {
  label: string
  value: string[]
  onValue: (value: string[]) => void
  hint?: ComponentChildren
  fault?: string | undefined
  placeholder?: string
  maxLength?: number
  required?: boolean
}

/** Several short values in one line, with commas or spaces between: "51820, 443". Nothing written is the empty list. */
export function ListField({ value, onValue, ...rest }: ListProps) {
  const [text, setText] = useState(() => value.join(', '))
  // Follow a value that was changed from outside, but never what is being typed.
  if (partsOf(text).join() !== value.join()) setText(value.join(', '))
  return (
    <TextField
      code
      value={text}
      onValue={(typed) => {
        setText(typed)
        onValue(partsOf(typed))
      }}
      {...rest}
    />
  )
}

function partsOf(text: string): string[] {
  return text.split(/[\s,;]+/).filter(Boolean)
}
