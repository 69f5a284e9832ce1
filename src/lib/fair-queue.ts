/** First in, first out for each key, and the keys in turn: whoever brings many waits behind their own. No bound of its own. */
export class FairQueue<T> {
  /** None of them empty; the first is the next in turn. */
  readonly #lines = new Map<string, readonly T[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  of(key: string): number {
    return this.#lines.get(key)?.length ?? 0
  }

  push(key: string, item: T): void {
    this.#lines.set(key, [...(this.#lines.get(key) ?? []), item])
    this.#size += 1
  }

  shift(): T | undefined {
    const [first] = this.#lines
    const [item, ...rest] = first?.[1] ?? []
    if (first === undefined || item === undefined) return undefined
    this.#lines.delete(first[0])
    if (rest.length > 0) this.#lines.set(first[0], rest)
    this.#size -= 1
    return item
  }

  /** Takes out what is over. @returns what was taken out */
  remove(isOver: (item: T) => boolean): readonly T[] {
    const over: T[] = []
    for (const [key, line] of this.#lines) {
      const staying: T[] = []
      for (const item of line) (isOver(item) ? over : staying).push(item)
      if (staying.length === 0) this.#lines.delete(key)
      else this.#lines.set(key, staying)
    }
    this.#size -= over.length
    return over
  }
}
