import { within } from '../lib/within.ts'
import type { Store } from '../store/store.ts'

export interface OutboxAgeOptions {
  readonly store: { readonly outbox: Pick<Store['outbox'], 'ageMs'> }
  readonly now?: () => Date
  /** For how long an answer is good enough. Default 3,000. */
  readonly maxAgeMs?: number
  /** Default 1,000. */
  readonly timeoutMs?: number
}

/**
 * How long the oldest stored event has waited for the broker, over all nodes. However many ask, the
 * database is asked once in a while.
 */
export class OutboxAge {
  readonly #options: OutboxAgeOptions
  #asking: Promise<number> | undefined
  #known: { readonly ms: number; readonly at: number } | undefined

  constructor(options: OutboxAgeOptions) {
    this.#options = options
  }

  /** Milliseconds; NaN where the database does not say in time. Never rejects. */
  async ms(): Promise<number> {
    const { maxAgeMs = 3000, timeoutMs = 1000 } = this.#options
    if (this.#known !== undefined && performance.now() - this.#known.at < maxAgeMs) return this.#known.ms
    this.#asking ??= this.#ask()
    return within(this.#asking, timeoutMs, () => new Error('too late')).catch(() => NaN)
  }

  async #ask(): Promise<number> {
    try {
      const now = this.#options.now?.() ?? new Date()
      const ms = await this.#options.store.outbox.ageMs(now.getTime())
      this.#known = { ms, at: performance.now() }
      return ms
    } finally {
      this.#asking = undefined
    }
  }
}
