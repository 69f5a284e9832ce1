import { type Deferred, deferred } from '../../src/lib/deferred.ts'

/** What one subscriber has heard, in the order in which it came. */
export class Hearing {
  readonly subscriber: string
  readonly got: string[] = []
  readonly #seen = new Set<string>()
  #missing = new Set<string>()
  #complete: Deferred<void> | undefined
  #counted: { readonly count: number; readonly reached: Deferred<void> } | undefined

  constructor(subscriber: string) {
    this.subscriber = subscriber
  }

  hear(message: string): void {
    this.got.push(message)
    this.#seen.add(message)
    this.#missing.delete(message)
    if (this.#missing.size === 0) this.#complete?.resolve()
    if (this.#counted !== undefined && this.got.length >= this.#counted.count) this.#counted.reached.resolve()
  }

  /** Resolves when so many have come. For one caller at a time. */
  async count(count: number): Promise<void> {
    if (this.got.length >= count) return
    this.#counted = { count, reached: deferred() }
    await this.#counted.reached.promise
  }

  /** Resolves when all of these were heard, or after a while: what has not come by then is lost. */
  async all(owed: readonly string[], patienceMs: number): Promise<void> {
    this.#missing = new Set(owed.filter((message) => !this.#seen.has(message)))
    if (this.#missing.size === 0) return
    this.#complete = deferred()
    const timer = setTimeout(this.#complete.resolve, patienceMs)
    await this.#complete.promise
    clearTimeout(timer)
  }
}
