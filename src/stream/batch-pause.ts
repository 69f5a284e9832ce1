import { deferred, type Deferred } from '../lib/deferred.ts'

/** A batch of fewer says nothing about the next one: after it nobody waits. */
const CROWD = 8

/**
 * The pause before a batch. Those who were just answered are about to write again, but not all at the
 * same moment: so a batch waits, for a few milliseconds at most, until it is as large as the last one.
 * Half as many transactions, and half as many writes to each subscriber, are worth more than the pause
 * costs (docs/decisions/0012).
 */
export class BatchPause {
  readonly #maxMs: number
  #last = 0
  #ending: { readonly size: number; readonly done: Deferred<void> } | undefined
  #isOver = false

  /** @param maxMs how long a batch waits at most, in milliseconds */
  constructor(maxMs: number) {
    this.#maxMs = maxMs
  }

  /** Resolves when the batch may begin. `size` writes wait by now. */
  async wait(size: number): Promise<void> {
    if (this.#isOver || this.#last < CROWD || size >= this.#last) return
    const done = deferred()
    this.#ending = { size: this.#last, done }
    const timer = setTimeout(() => done.resolve(), this.#maxMs)
    await done.promise
    clearTimeout(timer)
    this.#ending = undefined
  }

  /** Now `size` writes wait. */
  grew(size: number): void {
    if (this.#ending !== undefined && size >= this.#ending.size) this.#ending.done.resolve()
  }

  /** A batch of `size` writes begins. */
  began(size: number): void {
    this.#last = size
  }

  /** There are no pauses any more. */
  end(): void {
    this.#isOver = true
    this.#ending?.done.resolve()
  }
}
