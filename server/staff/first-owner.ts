import { readFileSync, rmSync } from 'node:fs'
import { z } from 'zod'
import { apiKeyPattern } from './credentials.ts'
import { staffInput } from './schema.ts'

const shape = staffInput.pick({ username: true, password: true }).extend({
  apiKey: z.string().regex(apiKeyPattern, 'ksw_ and 40 letters and digits'),
})

/**
 * What the installer wrote down: JSON {"username", "password", "apiKey"}; undefined without a file.
 * @throws Error that names the file and what is wrong in it, never what it holds
 */
export function readFirstOwner(file: string): z.output<typeof shape> | undefined {
  const text = textOf(file)
  if (text === undefined) return undefined
  const checked = shape.safeParse(json(text))
  if (checked.success) return checked.data
  const faults = checked.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`)
  throw new Error(
    `The first owner cannot be read from ${file}. It must be JSON with "username", "password" and "apiKey"; mend or remake it:\n${faults.join('\n')}`,
  )
}

/** It holds a password: nobody needs it any more. */
export function removeFirstOwner(file: string): void {
  rmSync(file, { force: true })
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined
    throw error
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
