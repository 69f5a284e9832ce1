import { EXPOSED } from '../contestants/registry.ts'
import type { Crime } from '../crimes/crime.ts'
import { ATTACKS, CRIMES } from '../crimes/registry.ts'
import type { Pacing } from '../load/process-messages.ts'
import { medianFigures, recordText, type IsolationFigures } from './isolation-figures.ts'
import { isolationPlan } from './isolation-plan.ts'
import { runIsolation, type IsolationRound } from './isolation-run.ts'
import { emptyRow, type MeasuredRow } from './measured-row.ts'
import type { Row } from './row.ts'
import type { RunningEntry, Scenario, ScenarioContext } from './scenario.ts'

const DEFAULT_CLIENTS = [1000]
const DEFAULT_RATE = 200
const TOPICS = 20
const SETTLE_MS = 2000
const TIMED_ONE_IN = 4

/**
 * N well-behaved clients of 20 topics at a fixed rate, and beside them one client that commits each crime
 * of the issue in turn, as often as `--rounds` says. A row a crime, with the clients' latency without any crime
 * measured before and after.
 */
export const isolation: Scenario = {
  isPlayedBy: ({ name }) => name === 'relay' || name === 'base',
  async run(context) {
    await measureAll(context, { name: 'isolation', crimes: CRIMES, hasAlarm: true })
  },
}

/** The same clients, and what strangers from many addresses can do to them while compression is on. */
export const attacks: Scenario = {
  isPlayedBy: ({ name }) => name === EXPOSED,
  async run(context) {
    await measureAll(context, { name: 'attacks', crimes: ATTACKS, hasAlarm: false })
  },
}

interface Series {
  readonly name: string
  readonly crimes: readonly Crime[]
  readonly hasAlarm: boolean
}

async function measureAll(context: ScenarioContext, series: Series): Promise<void> {
  for (const subscribers of context.options.subscriberCounts ?? DEFAULT_CLIENTS) {
    for (const entry of context.contestants) await measure(context, series, { entry, subscribers })
  }
}

async function measure(
  context: ScenarioContext,
  { name, crimes, hasAlarm }: Series,
  { entry, subscribers }: { readonly entry: RunningEntry; readonly subscribers: number },
): Promise<void> {
  const { options } = context
  const pacing: Pacing = { kind: 'paced', messagesPerSecond: options.rate ?? DEFAULT_RATE }
  const topics = Math.min(TOPICS, Math.floor(subscribers / options.generators))
  const load = {
    plan: isolationPlan(entry.running.access, topics),
    publishers: topics,
    subscribers,
    generators: options.generators,
    pacing,
    timedOneIn: TIMED_ONE_IN,
  }
  const { rounds } = options
  const setting = { load, crimes, durations: options, rounds, settleMs: SETTLE_MS, hasAlarm }
  const head = { scenario: name, subscribers, pacing }
  const rows = new CrimeRows((crime) => emptyRow({ ...head, contestant: `${entry.name}: ${crime}` }))
  let last = 'nothing'
  let broken: MeasuredRow | undefined
  try {
    await runIsolation(entry.running, setting, (outcome) => {
      last = outcome.crime
      context.say(progress(name, outcome))
      rows.add(outcome)
    })
  } catch (error) {
    broken = emptyRow({ ...head, contestant: `${entry.name}: after ${last}` })
    broken.failures.push(error instanceof Error ? error.message : String(error))
  }
  context.rows.push(...rows.all(), ...(broken === undefined ? [] : [broken]))
}

/** A row a crime, over all rounds. */
class CrimeRows {
  readonly #make: (crime: string) => MeasuredRow
  readonly #rows = new Map<string, { readonly row: MeasuredRow; readonly figures: IsolationFigures[] }>()

  constructor(make: (crime: string) => MeasuredRow) {
    this.#make = make
  }

  add({ crime, round, isolation: figures }: IsolationRound): void {
    const entry = this.#rows.get(crime) ?? { row: this.#make(crime), figures: [] }
    this.#rows.set(crime, entry)
    entry.row.rounds.push(round)
    if (figures !== undefined) entry.figures.push(figures)
  }

  all(): readonly Row[] {
    return [...this.#rows.values()].map(({ row, figures }) => {
      const [first] = figures
      return first === undefined ? row : Object.assign(row, { isolation: medianFigures(figures) })
    })
  }
}

function progress(name: string, { crime, round, isolation: figures }: IsolationRound): string {
  const p99 = `p99 ${round.latencyMs.p99.toFixed(1)} ms`
  if (figures === undefined) return `${name}, ${crime}: ${p99}`
  return `${name}, ${crime}: ${p99}, without ${figures.without.p99.toFixed(1)} ms; ${recordText(figures.record)}`
}
