/** Below this many free slots at the front, moving the rest would cost more than it frees. */
const COMPACT_FROM = 1024

/** First in, first out, without a bound of its own; `shift` does not move what is behind. */
export class Fifo<T extends object> {
  #items: (T | undefined)[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    // Else a queue that is never empty would keep what it has handed out.
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head >= COMPACT_FROM && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}
