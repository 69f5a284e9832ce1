/** As many starts of nodes as matter at one time, many times over. */
const MAX_BOOTS = 1_000

/** The newest message seen from each start of each node: a publisher that was cut off sends some twice. */
export class OriginLog {
  /** Least recently heard first. */
  readonly #newest = new Map<string, number>()

  /** @returns false for what has been seen */
  isNew(boot: string, sequence: number): boolean {
    const newest = this.#newest.get(boot)
    if (newest !== undefined && sequence <= newest) return false
    if (newest === undefined && this.#newest.size >= MAX_BOOTS) this.#forgetOldest()
    this.#newest.delete(boot)
    this.#newest.set(boot, sequence)
    return true
  }

  #forgetOldest(): void {
    for (const boot of this.#newest.keys()) {
      this.#newest.delete(boot)
      return
    }
  }
}
