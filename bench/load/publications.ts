/**
 * What the publishers of a run have under way: each numbers its messages from 1. A message is finished
 * when all subscribers have it and, where receipts are asked for, its RECEIPT has come.
 */
export class Publications {
  readonly #published: number[]
  /** By publisher: up to this number all subscribers have its messages. */
  readonly #completed: number[]
  /** By publisher: numbers whose RECEIPT has not come. Undefined where none is asked for. */
  readonly #open: readonly Set<number>[] | undefined
  #publishedTotal = 0
  #completedTotal = 0
  #openTotal = 0
  #turn = 0

  constructor(publishers: number, hasReceipts: boolean) {
    this.#published = Array.from({ length: publishers }, () => 0)
    this.#completed = Array.from({ length: publishers }, () => 0)
    this.#open = hasReceipts ? this.#published.map(() => new Set<number>()) : undefined
  }

  get total(): number {
    return this.#publishedTotal
  }

  /** By publisher. */
  get published(): readonly number[] {
    return this.#published
  }

  /** Messages that are not everywhere, or those without RECEIPT, whichever are more. */
  get unfinished(): number {
    return Math.max(this.#publishedTotal - this.#completedTotal, this.#openTotal)
  }

  /** Publishers take turns. */
  next(): { readonly publisher: number; readonly sequence: number } {
    const publisher = this.#turn
    this.#turn = (publisher + 1) % this.#published.length
    const sequence = ++this.#published[publisher]!
    this.#publishedTotal++
    if (this.#open !== undefined) {
      this.#open[publisher]!.add(sequence)
      this.#openTotal++
    }
    return { publisher, sequence }
  }

  complete(publisher: number, completed: number): void {
    this.#completedTotal += completed - this.#completed[publisher]!
    this.#completed[publisher] = completed
  }

  /** Returns false for a RECEIPT that nobody asked for, or that came before. */
  receipt(publisher: number, sequence: number): boolean {
    if (this.#open?.[publisher]?.delete(sequence) !== true) return false
    this.#openTotal--
    return true
  }
}
