/** What is stored, as far as anybody was told: writers by the answer, readers by what they were sent. */
export class Truth {
  readonly faults: string[] = []
  readonly #bodies = new Map<string, Map<number, string>>()
  readonly #places = new Map<string, string>()
  readonly #rejected = new Set<string>()

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

  greatest(stream: string): number {
    return Math.max(0, ...(this.#bodies.get(stream)?.keys() ?? []))
  }
}

/** A body is a name and padding. */
function nameOf(body: string): string {
  return `${body.split(' ', 1)[0] ?? ''} of ${body.length} characters`
}
