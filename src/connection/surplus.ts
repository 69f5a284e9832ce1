/** Messages of the largest size that are borne. */
const MAX_MESSAGES = 4

/** What a frame takes that waits, its own bytes aside. */
const FRAME_BYTES = 48

/**
 * What comes although nothing is read any more: the rest of the last read. Where clients may compress, a few KiB
 * of it can hold hundreds of messages, and a frame that waits keeps the whole message it came in.
 */
export class Surplus {
  readonly #maxBytes: number
  #bytes = 0

  /** @param messageBytes of the largest message, inflated */
  constructor(messageBytes: number) {
    this.#maxBytes = MAX_MESSAGES * messageBytes
  }

  /** @returns whether it is too much now */
  addMessage(bytes: number): boolean {
    this.#bytes += bytes
    return this.#bytes > this.#maxBytes
  }

  /** Of a message that was added, or was read before. @returns whether it is too much now */
  addFrame(): boolean {
    return this.addMessage(FRAME_BYTES)
  }

  /** All of it has been taken. */
  clear(): void {
    this.#bytes = 0
  }
}
