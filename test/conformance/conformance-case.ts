import { VERSIONS, type Version } from '../../protocol/version.ts'
import type { Extension } from './target.ts'
import type { Trial } from './trial.ts'

/** One thing that a server must do. */
export interface ConformanceCase {
  readonly id: string
  /** The outcome, as a sentence without a subject: what the server does. */
  readonly title: string
  /** Where that is written. */
  readonly clause: string
  /** The versions it applies to. Default all. */
  readonly versions?: readonly Version[]
  /** What the server must offer for it to apply. */
  readonly needs: readonly Extension[]
  /** Resolves when the server does so. Rejects with what it did instead. */
  readonly run: (trial: Trial) => Promise<void>
}

export const SINCE_1_1: readonly Version[] = ['1.1', '1.2']

/** Lowest first, as tables show them. */
export function versionsOf(one: ConformanceCase): readonly Version[] {
  return VERSIONS.toReversed().filter((version) => one.versions?.includes(version) ?? true)
}
