export interface AttemptsOptions {
  /** Attempts of one key within a window. */
  readonly max: number
  /** From the first attempt on, milliseconds. Default a minute. */
  readonly windowMs?: number
  /** Keys remembered at once; beyond it the one whose window began first is forgotten. Default 10,000. */
  readonly maxKeys?: number
  /** The monotonic clock, milliseconds. */
  readonly now?: () => number
}

interface Window {
  count: number
  readonly endsAtMs: number
}

/** Counts what each key has tried within a window of time, in bounded memory. */
export class Attempts {
  readonly #max: number
  readonly #windowMs: number
  readonly #maxKeys: number
  readonly #now: () => number
  /** In the order in which they began, which is the order in which they end. */
  readonly #windows = new Map<string, Window>()

  constructor({ max, windowMs = 60_000, maxKeys = 10_000, now = monotonic }: AttemptsOptions) {
    this.#max = max
    this.#windowMs = windowMs
    this.#maxKeys = maxKeys
    this.#now = now
  }

  /** Milliseconds until the key may try again; 0 where it may now. */
  waitMs(key: string): number {
    const window = this.#windows.get(key)
    if (window === undefined || window.count < this.#max) return 0
    return Math.max(0, window.endsAtMs - this.#now())
  }

  count(key: string): void {
    const nowMs = this.#now()
    this.#forget(nowMs)
    const window = this.#windows.get(key)
    if (window === undefined) this.#windows.set(key, { count: 1, endsAtMs: nowMs + this.#windowMs })
    else window.count += 1
  }

  /** Keys remembered. */
  get size(): number {
    return this.#windows.size
  }

  /** What has ended, and where there is no room for another key, what ends first. */
  #forget(nowMs: number): void {
    for (const [key, { endsAtMs }] of this.#windows) {
      if (endsAtMs > nowMs && this.#windows.size < this.#maxKeys) return
      this.#windows.delete(key)
    }
  }
}

function monotonic(): number {
  return performance.now()
}
