import { SseReader } from '../support/sse-reader.ts'

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

/** A reader of a user's event stream that goes from node to node with the last id that it saw. */
export class SseHopper {
  /** Of every event but the greetings, in the order in which they came. */
  readonly received: { readonly event: string; readonly data: string }[] = []
  /** What each greeting but the first said of `recovered`. */
  readonly recovered: unknown[] = []
  readonly #t: Teardown
  readonly #token: string
  #reader: SseReader | undefined
  /** Events of the reader that were taken. */
  #taken = 0
  #lastEventId: string | undefined

  constructor(t: Teardown, token: string) {
    this.#t = t
    this.#token = token
  }

  /** Leaves the node where it is, if that still lives, and resumes at another one. */
  async hop(address: string): Promise<void> {
    const isFirst = this.#lastEventId === undefined
    await this.#leave()
    this.#reader = await SseReader.open(this.#t, `${address}/api/v1/notifications/stream`, {
      authorization: `Bearer ${this.#token}`,
      ...(this.#lastEventId !== undefined && { 'last-event-id': this.#lastEventId }),
    })
    const { data } = await this.#reader.nextJson()
    this.#taken = 1
    if (!isFirst) this.recovered.push(data['recovered'])
    this.#lastEventId = this.#reader.lastEventId
  }

  /** Waits for so many more events, or for the end of the stream. */
  async read(count: number): Promise<void> {
    const reader = this.#reader!
    await Promise.race([reader.events.atLeast(this.#taken + count), reader.ended])
    this.#take(reader)
  }

  async #leave(): Promise<void> {
    const reader = this.#reader
    if (reader === undefined) return
    await reader.close()
    this.#take(reader)
  }

  #take(reader: SseReader): void {
    this.received.push(...reader.events.items.slice(this.#taken))
    this.#taken = reader.events.items.length
    this.#lastEventId = reader.lastEventId
  }
}
