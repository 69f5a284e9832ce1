import type { RoundFigures } from '../measure/round.ts'
import type { IsolationFigures } from './isolation-figures.ts'

/** All rounds of one contestant under one load. */
export interface Row {
  readonly scenario: string
  readonly subscribers: number
  readonly pacing: string
  readonly contestant: string
  readonly rounds: readonly RoundFigures[]
  /** Rounds that broke off, with the reason. */
  readonly failures: readonly string[]
  /** What `raw-ws` was told, one for each of its rounds. */
  readonly framesPerWriteGiven?: readonly number[]
  /** In `isolation`: what the crime of this row did to the others. */
  readonly isolation?: IsolationFigures
}
