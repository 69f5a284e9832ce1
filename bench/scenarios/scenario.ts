import type { Contestant, Database, RunningContestant } from '../contestants/contestant.ts'
import type { BenchOptions } from '../options.ts'
import type { Row } from './row.ts'

export interface ScenarioContext {
  readonly options: BenchOptions
  /** Those that take part. */
  readonly contestants: readonly RunningEntry[]
  /** Grows; a later scenario may look at an earlier one's rows. */
  readonly rows: Row[]
  /** One line of progress for whoever waits. */
  say(line: string): void
}

export interface RunningEntry {
  readonly name: string
  readonly database: Database | undefined
  readonly running: RunningContestant
}

export interface Scenario {
  isPlayedBy(contestant: Contestant): boolean
  run(context: ScenarioContext): Promise<void>
}
