/** Below this many free slots at the front, moving the rest would cost more than it frees. */
const COMPACT_FROM = 1024

/** First in, first out, within a number of items and of bytes. */
export class BoundedQueue<T extends { readonly bytes: number }> {
  readonly #maxItems: number
  readonly #maxBytes: number
  #items: (T | undefined)[] = []
  #head = 0
  #bytes = 0

  constructor(maxItems: number, maxBytes: number) {
    this.#maxItems = maxItems
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#items.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether `push` would take an item of this weight. An empty queue takes any, or it never could. */
  hasRoomFor(bytes: number): boolean {
    return this.size === 0 || (this.size < this.#maxItems && this.#bytes + bytes <= this.#maxBytes)
  }

  /** @returns false, and keeps the queue as it was, where there is no room */
  push(item: T): boolean {
    if (!this.hasRoomFor(item.bytes)) return false
    this.#items.push(item)
    this.#bytes += item.bytes
    return true
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#items[this.#head] = undefined
    this.#head += 1
    this.#bytes -= item.bytes
    if (this.#head >= COMPACT_FROM && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}
