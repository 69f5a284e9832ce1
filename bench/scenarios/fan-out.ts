import type { RunningContestant } from '../contestants/contestant.ts'
import type { Pacing } from '../load/process-messages.ts'
import { measureRound, type RoundFigures } from '../measure/round.ts'
import { summarize } from '../measure/rounds.ts'
import type { BenchOptions } from '../options.ts'
import type { Row } from './row.ts'
import type { ScenarioContext } from './scenario-context.ts'

/** One publisher, N subscribers of one topic, 128 bytes, with a window of unfinished messages. */
export async function fanOut(context: ScenarioContext): Promise<void> {
  const { options } = context
  for (const subscribers of options.subscriberCounts) {
    const pacing: Pacing = { kind: 'saturated', window: options.window }
    await measureRows(context, { scenario: 'fan-out', subscribers, pacing })
  }
}

/** The same at a fixed rate that every contestant sustains: what is saved without deep batches. */
export async function fanOutPaced(context: ScenarioContext): Promise<void> {
  for (const subscribers of context.options.subscriberCounts) {
    const messagesPerSecond = context.options.rate ?? (await halfOfWebStomp(context, subscribers))
    const pacing: Pacing = { kind: 'paced', messagesPerSecond }
    await measureRows(context, { scenario: 'fan-out-paced', subscribers, pacing })
  }
}

interface RowSetting {
  readonly scenario: string
  readonly subscribers: number
  readonly pacing: Pacing
}

interface GrowingRow extends Row {
  readonly rounds: RoundFigures[]
  readonly failures: string[]
  readonly framesPerWriteGiven: number[]
}

async function measureRows(context: ScenarioContext, setting: RowSetting): Promise<void> {
  const rows = context.contestants.map(([name]) => emptyRow(name, setting))
  let { framesPerWrite } = context.options
  const pacemaker = context.contestants.some(([name]) => name === 'relay') ? 'relay' : 'memory'
  for (let round = 1; round <= context.options.rounds; round++) {
    for (const [index, [name, contestant]] of context.contestants.entries()) {
      const row = rows[index]!
      const figures = await tryRound(contestant, row, {
        ...setting,
        options: context.options,
        framesPerWrite,
      })
      context.say(progressLine(row, round, figures))
      // A group larger than the window would never fill up.
      if (name === pacemaker && figures !== undefined) {
        framesPerWrite = Math.max(1, Math.min(Math.round(figures.framesPerWrite), context.options.window))
      }
    }
  }
  context.rows.push(...rows)
}

async function tryRound(
  contestant: RunningContestant,
  row: GrowingRow,
  setting: RowSetting & { options: BenchOptions; framesPerWrite: number },
): Promise<RoundFigures | undefined> {
  const { options, subscribers, pacing, framesPerWrite } = setting
  try {
    await contestant.prepare({ framesPerWrite, rawFrameBytes: options.rawFrameBytes })
    const load = { subscribers, pacing, generators: options.generators }
    const figures = await measureRound(contestant, load, options)
    row.rounds.push(figures)
    row.framesPerWriteGiven.push(framesPerWrite)
    return figures
  } catch (error) {
    row.failures.push(error instanceof Error ? error.message : String(error))
    return undefined
  }
}

async function halfOfWebStomp(context: ScenarioContext, subscribers: number): Promise<number> {
  const known = context.rows.find(
    (row) => row.scenario === 'fan-out' && row.contestant === 'web-stomp' && row.subscribers === subscribers,
  )
  const rates = known?.rounds.map((round) => round.messagesPerSecond) ?? []
  if (rates.length > 0) return summarize(rates).median / 2
  const webStomp = context.contestants.find(([name]) => name === 'web-stomp')?.[1]
  if (webStomp === undefined) throw new Error('fan-out-paced needs --rate or the contestant web-stomp')
  const pacing: Pacing = { kind: 'saturated', window: context.options.window }
  const load = { subscribers, pacing, generators: context.options.generators }
  const figures = await measureRound(webStomp, load, context.options)
  return figures.messagesPerSecond / 2
}

function emptyRow(contestant: string, setting: RowSetting): GrowingRow {
  const pacing =
    setting.pacing.kind === 'saturated'
      ? `window ${setting.pacing.window}`
      : `${setting.pacing.messagesPerSecond.toFixed(1)} messages/s`
  const { scenario, subscribers } = setting
  return { scenario, subscribers, pacing, contestant, rounds: [], failures: [], framesPerWriteGiven: [] }
}

function progressLine(row: Row, round: number, figures: RoundFigures | undefined): string {
  const head = `${row.scenario} N=${row.subscribers} ${row.contestant} round ${round}: `
  if (figures === undefined) return `${head}${row.failures.at(-1) ?? 'failed'}`
  const cpu = figures.cpuUsPerDelivery.total.toFixed(2)
  return `${head}${figures.deliveriesPerSecond.toFixed(0)} deliveries/s, ${cpu} us each`
}
