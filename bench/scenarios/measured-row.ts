import type { RunningContestant } from '../contestants/contestant.ts'
import type { LoadSetting } from '../load/load-group.ts'
import type { Pacing } from '../load/process-messages.ts'
import { measureRound, type RoundFigures } from '../measure/round.ts'
import type { BenchOptions } from '../options.ts'
import type { Row } from './row.ts'

/** A row that grows round by round. */
export interface MeasuredRow extends Row {
  readonly rounds: RoundFigures[]
  readonly failures: string[]
  readonly framesPerWriteGiven: number[]
}

export function emptyRow(head: {
  readonly scenario: string
  readonly subscribers: number
  readonly pacing: Pacing
  readonly contestant: string
}): MeasuredRow {
  const pacing =
    head.pacing.kind === 'saturated'
      ? `window ${head.pacing.window}`
      : `${head.pacing.messagesPerSecond.toFixed(1)} messages/s`
  return { ...head, pacing, rounds: [], failures: [], framesPerWriteGiven: [] }
}

/** Measures one round into the row. A round that breaks off is a failure of the row, with the reason. */
export async function measureInto(
  row: MeasuredRow,
  contestant: RunningContestant,
  load: LoadSetting,
  setting: { readonly options: BenchOptions; readonly framesPerWrite: number },
): Promise<RoundFigures | undefined> {
  const { options, framesPerWrite } = setting
  try {
    await contestant.prepare({ framesPerWrite, rawFrameBytes: options.rawFrameBytes })
    const figures = await measureRound(contestant, load, options)
    row.rounds.push(figures)
    row.framesPerWriteGiven.push(framesPerWrite)
    return figures
  } catch (error) {
    row.failures.push(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

export function progressLine(row: Row, round: number, figures: RoundFigures | undefined): string {
  const head = `${row.scenario} N=${row.subscribers} ${row.contestant} round ${round}: `
  if (figures === undefined) return `${head}${row.failures.at(-1) ?? 'failed'}`
  const cpu = figures.cpuUsPerDelivery.total.toFixed(2)
  return `${head}${figures.deliveriesPerSecond.toFixed(0)} deliveries/s, ${cpu} us each`
}
