import { setTimeout as delay } from 'node:timers/promises'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import { Repetition } from '../lib/repetition.ts'
import type { StreamCounters } from './stream-counters.ts'

export interface TrimmerOptions {
  readonly store: {
    readonly log: Pick<Store['log'], 'trim'>
    readonly requests: Pick<Store['requests'], 'trim'>
  }
  readonly log: Pick<Log, 'warn'>
  readonly counters?: Pick<StreamCounters, 'trimmed' | 'forgotten'>
  readonly now?: () => Date
  /** Default 60,000. */
  readonly intervalMs?: number
  /** Rows of one transaction. Default 500. */
  readonly batchSize?: number
  /** Between two transactions, so that others get their turn. Default 50. */
  readonly pauseMs?: number
}

type Trim = (nowIso: string, limit: number) => Promise<number>

/** Removes what has expired: events beyond their retention, and answers to requests. */
export class Trimmer {
  readonly #options: TrimmerOptions
  readonly #counters: Pick<StreamCounters, 'trimmed' | 'forgotten'>
  readonly #rounds: Repetition

  constructor(options: TrimmerOptions) {
    this.#options = options
    this.#counters = options.counters ?? { trimmed: 0, forgotten: 0 }
    this.#rounds = new Repetition({
      run: (signal) => this.#trim(signal),
      onError: (error) =>
        options.log.warn({ event: 'not-trimmed', err: error }, 'what has expired cannot be removed'),
      intervalMs: options.intervalMs ?? 60_000,
      // Nodes share the work best when they come at different times.
      jitter: 0.5,
    })
  }

  /** Once only. */
  start(): void {
    this.#rounds.start()
  }

  /** Waits for the transaction under way. Idempotent. */
  close(): Promise<void> {
    return this.#rounds.close()
  }

  async #trim(signal: AbortSignal): Promise<void> {
    const { store } = this.#options
    await this.#drain(signal, async (nowIso, limit) => {
      const removed = await store.log.trim(nowIso, limit)
      this.#counters.trimmed += removed
      return removed
    })
    await this.#drain(signal, async (nowIso, limit) => {
      const removed = await store.requests.trim(nowIso, limit)
      this.#counters.forgotten += removed
      return removed
    })
  }

  /** Batch by batch until one comes back short; the store takes the limit by about. */
  async #drain(signal: AbortSignal, trim: Trim): Promise<void> {
    const { now = () => new Date(), batchSize = 500, pauseMs = 50 } = this.#options
    const nowIso = now().toISOString()
    while (!signal.aborted && (await trim(nowIso, batchSize)) * 2 >= batchSize) {
      await delay(pauseMs, undefined, { signal })
    }
  }
}
