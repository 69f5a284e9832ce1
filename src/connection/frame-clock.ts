/** How long something has been coming that is not whole. Costs nothing while all is well. */
export class FrameClock {
  readonly #maxMs: number
  #sinceMs: number | undefined

  constructor(maxMs: number) {
    this.#maxMs = maxMs
  }

  /** It is whole; what comes now is another. */
  whole(): void {
    this.#sinceMs = undefined
  }

  /** @param isPart whether there is a part of one now. The clock starts at the first look that finds one */
  isLate(nowMs: number, isPart: boolean): boolean {
    if (!isPart) {
      this.#sinceMs = undefined
      return false
    }
    this.#sinceMs ??= nowMs
    return nowMs - this.#sinceMs > this.#maxMs
  }
}
