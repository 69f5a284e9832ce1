import { EXPOSED } from '../contestants/registry.ts'
import type { Contestant } from '../contestants/contestant.ts'
import { oneTopicPlan } from '../load/client-plan.ts'
import type { LoadSetting } from '../load/load-group.ts'
import type { Pacing } from '../load/process-messages.ts'
import { measureRound } from '../measure/round.ts'
import { summarize } from '../measure/rounds.ts'
import type { BenchOptions } from '../options.ts'
import { emptyRow, measureInto, progressLine } from './measured-row.ts'
import type { RunningEntry, Scenario, ScenarioContext } from './scenario.ts'

const DEFAULT_SUBSCRIBERS = [10, 100, 500]
const TOPIC = '/topic/bench'

/** One publisher, N subscribers of one topic, 128 bytes, with a window of unfinished messages. */
export const fanOut: Scenario = {
  isPlayedBy,
  async run(context) {
    const { options } = context
    for (const subscribers of options.subscriberCounts ?? DEFAULT_SUBSCRIBERS) {
      await measureRows(context, { scenario: 'fan-out', subscribers, pacing: saturated(options) })
    }
  },
}

/** The same at a fixed rate that every contestant sustains: what is saved without deep batches. */
export const fanOutPaced: Scenario = {
  isPlayedBy,
  async run(context) {
    for (const subscribers of context.options.subscriberCounts ?? DEFAULT_SUBSCRIBERS) {
      const messagesPerSecond = context.options.rate ?? (await halfOfWebStomp(context, subscribers))
      const pacing: Pacing = { kind: 'paced', messagesPerSecond }
      await measureRows(context, { scenario: 'fan-out-paced', subscribers, pacing })
    }
  },
}

/** Nothing is stored here, so a relay with another database would only be the same once more. */
function isPlayedBy({ name, database }: Contestant): boolean {
  return database !== 'postgres' && name !== EXPOSED
}

interface RowSetting {
  readonly scenario: string
  readonly subscribers: number
  readonly pacing: Pacing
}

async function measureRows(context: ScenarioContext, setting: RowSetting): Promise<void> {
  const { options, contestants } = context
  const rows = contestants.map(({ name }) => emptyRow({ ...setting, contestant: name }))
  let { framesPerWrite } = options
  const pacemaker = contestants.some(({ name }) => name === 'relay') ? 'relay' : 'memory'
  for (let round = 1; round <= options.rounds; round++) {
    for (const [index, entry] of contestants.entries()) {
      const row = rows[index]!
      const load = loadOf(entry, setting, options)
      const figures = await measureInto(row, entry.running, load, { options, framesPerWrite })
      context.say(progressLine(row, round, figures))
      // A group larger than the window would never fill up.
      if (entry.name === pacemaker && figures !== undefined) {
        framesPerWrite = Math.max(1, Math.min(Math.round(figures.framesPerWrite), options.window))
      }
    }
  }
  context.rows.push(...rows)
}

async function halfOfWebStomp(context: ScenarioContext, subscribers: number): Promise<number> {
  const known = context.rows.find(
    (row) => row.scenario === 'fan-out' && row.contestant === 'web-stomp' && row.subscribers === subscribers,
  )
  const rates = known?.rounds.map((round) => round.messagesPerSecond) ?? []
  if (rates.length > 0) return summarize(rates).median / 2
  const { options } = context
  const webStomp = context.contestants.find(({ name }) => name === 'web-stomp')
  if (webStomp === undefined) throw new Error('fan-out-paced needs --rate or the contestant web-stomp')
  const load = loadOf(webStomp, { subscribers, pacing: saturated(options) }, options)
  const figures = await measureRound(webStomp.running, load, options)
  return figures.messagesPerSecond / 2
}

function loadOf(
  { running }: RunningEntry,
  { subscribers, pacing }: Omit<RowSetting, 'scenario'>,
  { generators }: BenchOptions,
): LoadSetting {
  return { plan: oneTopicPlan(running.access, TOPIC), publishers: 1, subscribers, generators, pacing }
}

function saturated({ window }: BenchOptions): Pacing {
  return { kind: 'saturated', window }
}
