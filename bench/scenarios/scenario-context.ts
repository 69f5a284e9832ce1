import type { RunningContestant } from '../contestants/contestant.ts'
import type { BenchOptions } from '../options.ts'
import type { Row } from './row.ts'

export interface ScenarioContext {
  readonly options: BenchOptions
  readonly contestants: readonly (readonly [name: string, contestant: RunningContestant])[]
  /** Grows; a later scenario may look at an earlier one's rows. */
  readonly rows: Row[]
  /** One line of progress for whoever waits. */
  say(line: string): void
}
