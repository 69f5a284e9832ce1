import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './source-files.ts'

/** What the code is without, when a test of the threat model must fail. */
export interface Guard {
  /** `FILE: TITLE`, as the row of the threat model says it. */
  readonly test: string
  readonly source: string
  /** The text to take out, which the source file holds once. */
  readonly take: string
  /** What stands there then, and still runs. Default nothing. */
  readonly put?: string
}

/** The table of guards, in the order of the threat model: one or more for each test that it names. */
export function readGuards(): readonly Guard[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the file beside this one, of this form
  return JSON.parse(readFileSync(join(ROOT, 'scripts/guards.json'), 'utf8')) as readonly Guard[]
}

/** The source without the guard. @throws Error where it does not hold the text exactly once */
export function without({ source, take, put = '' }: Guard, text: string): string {
  const parts = text.split(take)
  if (parts.length !== 2) throw new Error(`${source} holds ${parts.length - 1} times: ${take}`)
  return parts.join(put)
}
