export interface PaceLimits {
  /** In the long run. */
  readonly perSecond: number
  /** The clock is asked no more often than that, so that after a rest nearly twice as many may come at once. */
  readonly burst: number
}

/** How fast one session may do something that costs others time, whoever it is. */
export class Pace {
  readonly #burst: number
  readonly #perMs: number
  /** Since the clock was asked. */
  #spent = 0
  /** When all that was spent before is paid for. */
  #paidAtMs = 0

  constructor({ perSecond, burst }: PaceLimits) {
    this.#burst = burst
    this.#perMs = perSecond / 1000
  }

  spend(amount: number): void {
    this.#spent += amount
  }

  /** Milliseconds to wait before more is taken; asked again after the wait, none. */
  aheadMs(): number {
    if (this.#spent < this.#burst) return 0
    const nowMs = performance.now()
    const rested = nowMs - this.#burst / this.#perMs
    this.#paidAtMs = Math.max(this.#paidAtMs, rested) + this.#spent / this.#perMs
    this.#spent = 0
    return Math.max(0, this.#paidAtMs - nowMs)
  }
}
