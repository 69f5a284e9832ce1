import { deferred, type Deferred } from '../../src/lib/deferred.ts'

interface Waiting {
  readonly count: number
  readonly reached: Deferred<void>
}

/** What arrived, in order, and a way to wait for it. */
export class Inbox<T> {
  readonly items: T[] = []
  #waiting: Waiting[] = []

  readonly push = (item: T): void => {
    this.items.push(item)
    for (const { count, reached } of this.#waiting) if (this.items.length >= count) reached.resolve()
    this.#waiting = this.#waiting.filter(({ count }) => this.items.length < count)
  }

  /** All items, as soon as there are so many. */
  async atLeast(count: number): Promise<T[]> {
    if (this.items.length < count) {
      const reached = deferred()
      this.#waiting.push({ count, reached })
      await reached.promise
    }
    return this.items
  }

  /** Item number `index`, as soon as it is there. */
  async at(index: number): Promise<T> {
    const items = await this.atLeast(index + 1)
    return items[index]!
  }
}
