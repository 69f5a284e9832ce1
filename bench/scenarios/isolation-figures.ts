import type { CrimeRecord } from '../crimes/scene.ts'
import { percentileUs, type LatencyCounts } from '../measure/latency-histogram.ts'
import { summarize, type Summary } from '../measure/rounds.ts'

/** What a crime did to those who had no part in it. */
export interface IsolationFigures {
  readonly crime: string
  /** Milliseconds, before and after the crime, measured together. */
  readonly without: Percentiles
  readonly during: Percentiles
  /** What p99 may be, milliseconds. */
  readonly limitMs: number
  readonly isMet: boolean
  /** p99 of each round in which it was committed, milliseconds. */
  readonly rounds: Summary
  /** What the criminal did, and what became of it. */
  readonly record: CrimeRecord
}

export interface Percentiles {
  readonly p50: number
  readonly p99: number
  /** Deliveries that were timed. */
  readonly count: number
}

const FACTOR = 2
const MORE_MS = 20

/** PERFORMANCE.md and the issue: twice its value without the crime, or that value and 20 ms. */
export function limitMs(withoutMs: number): number {
  return Math.max(withoutMs * FACTOR, withoutMs + MORE_MS)
}

export function isolationFigures(
  crime: string,
  latency: { readonly without: LatencyCounts; readonly during: LatencyCounts },
  record: CrimeRecord,
): IsolationFigures {
  const without = percentiles(latency.without)
  const during = percentiles(latency.during)
  return judge({ crime, without, during, record, rounds: summaryOf([during.p99]) })
}

/** The medians of several rounds of one crime, judged as one. @throws RangeError where there are none */
export function medianFigures(rounds: readonly IsolationFigures[]): IsolationFigures {
  const median = (pick: (round: IsolationFigures) => Percentiles): Percentiles => {
    const of = (key: keyof Percentiles): readonly number[] => rounds.map((round) => pick(round)[key])
    return {
      p50: summarize(of('p50')).median,
      p99: summarize(of('p99')).median,
      count: of('count').reduce((sum, count) => sum + count, 0),
    }
  }
  const record = new Map<string, number>()
  for (const round of rounds) {
    for (const [what, count] of Object.entries(round.record))
      record.set(what, (record.get(what) ?? 0) + count)
  }
  return judge({
    crime: rounds[0]?.crime ?? '',
    without: median(({ without }) => without),
    during: median(({ during }) => during),
    record: Object.fromEntries(record),
    rounds: summaryOf(rounds.map(({ during }) => during.p99)),
  })
}

/** Not a number where one of them is none. */
function summaryOf(values: readonly number[]): Summary {
  const { median } = summarize(values)
  return { median, min: Math.min(...values), max: Math.max(...values) }
}

function judge(figures: Omit<IsolationFigures, 'limitMs' | 'isMet'>): IsolationFigures {
  const limit = limitMs(figures.without.p99)
  // Where nothing was delivered in a round nothing was kept either.
  const isMet = figures.during.p99 <= limit && !Number.isNaN(figures.rounds.min + figures.rounds.max)
  return { ...figures, limitMs: limit, isMet }
}

function percentiles(counts: LatencyCounts): Percentiles {
  const ms = (share: number): number => (percentileUs(counts, share) ?? Number.NaN) / 1000
  return { p50: ms(0.5), p99: ms(0.99), count: counts.reduce((sum, count) => sum + count, 0) }
}

/** What a criminal did and what became of it, in one line. */
export function recordText(record: CrimeRecord): string {
  return Object.entries(record)
    .map(([what, count]) => `${what}: ${count}`)
    .join(', ')
}
