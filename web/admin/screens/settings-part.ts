import type { Settings } from '../contract.ts'

/** What every part of the settings is given. */
export type PartProps = {
  draft: Settings
  set: (part: Partial<Settings>) => void
  /** What is wrong with one field. */
  fault: (path: string) => string | undefined
  /** What is wrong with a list, or with something in it. */
  faultIn: (path: string) => string | undefined
}
