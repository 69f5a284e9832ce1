import { Fifo } from './fifo.ts'

/** First in, first out, within a number of items and of bytes. */
export class BoundedQueue<T extends { readonly bytes: number }> {
  readonly #maxItems: number
  readonly #maxBytes: number
  readonly #items = new Fifo<T>()
  #bytes = 0

  constructor(maxItems: number, maxBytes: number) {
    this.#maxItems = maxItems
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#items.size
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
    const item = this.#items.shift()
    if (item !== undefined) this.#bytes -= item.bytes
    return item
  }
}
