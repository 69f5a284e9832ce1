import type { Hearing } from './hearing.ts'
import type { Speaker } from './speaker.ts'

/** A subscriber, and whom it should hear. */
export interface Ear {
  readonly hearing: Hearing
  readonly speakers: readonly Speaker[]
  /** Messages that must come in order have the same one. */
  readonly originOf: (message: string) => string
}
