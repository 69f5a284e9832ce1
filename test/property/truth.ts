/** What is stored, as far as anybody was told: writers by the answer, readers by what they were sent. */
export class Truth {
  readonly faults: string[] = []
  readonly #bodies = new Map<string, Map<number, string>>()
  readonly #places = new Map<string, string>()
  readonly #rejected = new Set<string>()
  /** Times after which events were written, by their places. */
  readonly #since = new Map<string, number>()

  fault(what: string): void {
    this.faults.push(what)
  }

  /** An event was said to be stored: the same one must always be there, and nowhere else. */
  stored(stream: string, offset: number, body: string): void {
    const name = nameOf(body)
    const bodies = this.#bodies.get(stream) ?? new Map<number, string>()
    this.#bodies.set(stream, bodies)
    const before = bodies.get(offset)
    if (before === name) return
    const place = `${stream} ${offset}`
    if (before !== undefined) this.fault(`${place} is ${before} and ${name}`)
    if (this.#places.has(name)) this.fault(`${name} is at ${this.#places.get(name)} and at ${place}`)
    if (this.#rejected.has(name)) this.fault(`${name} was rejected, and is at ${place}`)
    bodies.set(offset, name)
    this.#places.set(name, place)
  }

  /** An event was written after this time. */
  writtenAfter(stream: string, offset: number, time: number): void {
    this.#since.set(`${stream} ${offset}`, time)
  }

  /** After what time an event was written; the beginning of time where nobody knows. */
  since(stream: string, offset: number): number {
    return this.#since.get(`${stream} ${offset}`) ?? -1
  }

  /** What the store has of a stream in the end: all that was said to be stored, but for what was trimmed. */
  compare(stream: string, head: number, log: ReadonlyMap<number, string>): void {
    const known = this.#bodies.get(stream) ?? new Map<number, string>()
    const first = Math.min(head + 1, ...log.keys())
    for (let offset = first; offset <= head; offset++) {
      if (!log.has(offset)) this.fault(`${stream} ${offset} is missing in the store, and ${first} is not`)
    }
    for (const [offset, name] of known) {
      const body = log.get(offset)
      if (offset > head) this.fault(`${stream} ${offset} was stored, and its head is ${head}`)
      else if (body !== undefined && nameOf(body) !== name)
        this.fault(`${stream} ${offset} was ${name}, and is ${nameOf(body)}`)
    }
  }

  /** A write was refused: none of it may ever be seen. */
  rejected(body: string): void {
    const name = nameOf(body)
    if (this.#places.has(name)) this.fault(`${name} was rejected, and is at ${this.#places.get(name)}`)
    this.#rejected.add(name)
  }

  /** How many events of a stream are known of. */
  count(stream: string): number {
    return this.#bodies.get(stream)?.size ?? 0
  }
}

/** A body is a name and padding. */
function nameOf(body: string): string {
  return `${body.split(' ', 1)[0] ?? ''} of ${body.length} characters`
}
