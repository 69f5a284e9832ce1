import type { CrimeRecord } from '../crimes/scene.ts'
import { percentileUs, type LatencyCounts } from '../measure/latency-histogram.ts'

/** What a crime did to those who had no part in it. */
export interface IsolationFigures {
  readonly crime: string
  /** Milliseconds, before and after the crime, measured together. */
  readonly without: Percentiles
  readonly during: Percentiles
  /** What p99 may be, milliseconds. */
  readonly limitMs: number
  readonly isMet: boolean
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
  const limit = limitMs(without.p99)
  // Where nothing was delivered nothing was kept either.
  return { crime, without, during, limitMs: limit, isMet: during.p99 <= limit, record }
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
