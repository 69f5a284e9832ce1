export interface SharedAnswerOptions {
  /** Answers made anew at once, after a rest. Default 50. */
  readonly burst?: number
  /** From then on. Default 10. */
  readonly perSecond?: number
  /** The monotonic clock, milliseconds. */
  readonly now?: () => number
}

/**
 * An answer that costs something to make, and that anybody may ask for: made anew for a few, while all beyond get
 * the last one, which may still be under way. So a flood of questions costs what a few do.
 */
export class SharedAnswer<T> {
  readonly #make: () => Promise<T>
  readonly #burst: number
  readonly #perSecond: number
  readonly #now: () => number
  #left: number
  #countedAtMs: number
  #last: Promise<T> | undefined

  constructor(make: () => Promise<T>, options: SharedAnswerOptions = {}) {
    this.#make = make
    this.#burst = options.burst ?? 50
    this.#perSecond = options.perSecond ?? 10
    this.#now = options.now ?? (() => performance.now())
    this.#left = this.#burst
    this.#countedAtMs = this.#now()
  }

  /** Rejects as the making of the answer does. */
  ask(): Promise<T> {
    const nowMs = this.#now()
    const earned = ((nowMs - this.#countedAtMs) / 1000) * this.#perSecond
    this.#left = Math.min(this.#burst, this.#left + earned)
    this.#countedAtMs = nowMs
    if (this.#last !== undefined && this.#left < 1) return this.#last
    this.#left -= 1
    this.#last = this.#make()
    return this.#last
  }
}
