/**
 * Tells up to which sequence number everybody has got every message, given that each subscriber gets
 * them in order. Messages beyond `span` above that number are not counted: with lost messages
 * completion stands still, and the publisher notices.
 */
export class Completion {
  readonly #subscribers: number
  readonly #counts: Uint32Array
  #completed = 0

  constructor(subscribers: number, span = 65_536) {
    this.#subscribers = subscribers
    this.#counts = new Uint32Array(span)
  }

  get completed(): number {
    return this.#completed
  }

  /** Returns whether `completed` grew. */
  take(sequence: number): boolean {
    const span = this.#counts.length
    if (sequence <= this.#completed || sequence > this.#completed + span) return false
    this.#counts[sequence % span]!++
    const before = this.#completed
    while (this.#counts[(this.#completed + 1) % span] === this.#subscribers) {
      this.#completed++
      this.#counts[this.#completed % span] = 0
    }
    return this.#completed > before
  }
}
