import { parseEventId } from '../../protocol/event-id.ts'
import { header, type Frame } from '../../protocol/frame.ts'
import { StompClient } from '../support/stomp-client.ts'

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

/** Where to connect, as whom, and to what. */
export interface HopperAim {
  readonly login: string
  readonly destination: string
}

/** A STOMP subscriber that goes from node to node and resumes where it was. */
export class StompHopper {
  /** Of every event, in the order in which they came. */
  readonly received: { readonly offset: number; readonly body: string }[] = []
  /** What the RECEIPT of each SUBSCRIBE but the first said of `recovered`. */
  readonly recovered: (string | undefined)[] = []
  readonly #t: Teardown
  readonly #aim: HopperAim
  #client: StompClient | undefined
  #eventId: string | undefined

  constructor(t: Teardown, aim: HopperAim) {
    this.#t = t
    this.#aim = aim
  }

  /** Leaves the node where it is, if that still lives, without a word, and resumes at another one. */
  async hop(url: string): Promise<void> {
    const { login, destination } = this.#aim
    const isFirst = this.#eventId === undefined
    await this.#leave()
    const client = await StompClient.connect(this.#t, url, { login })
    this.#client = client
    const from = this.#eventId === undefined ? [] : ['last-event-id', this.#eventId]
    const receipt = await client.ask('SUBSCRIBE', ['id', 's', 'destination', destination, ...from])
    if (!isFirst) this.recovered.push(header(receipt.headers, 'recovered'))
    // Until a message comes, this is where to go on.
    if (client.inbox.length === 0) this.#eventId = header(receipt.headers, 'event-id')
  }

  /** Waits for so many more events. */
  async read(count: number): Promise<void> {
    const client = this.#client!
    const wanted = this.received.length + count
    await client.until(() => this.received.length + client.inbox.length >= wanted)
    this.#take(client)
  }

  async readUpTo(offset: number): Promise<void> {
    const missing = offset - (this.received.at(-1)?.offset ?? 0)
    await this.read(Math.max(0, missing))
  }

  async #leave(): Promise<void> {
    const client = this.#client
    if (client === undefined) return
    client.webSocket.terminate()
    await client.closed
    this.#take(client)
  }

  #take({ inbox }: StompClient): void {
    for (const frame of inbox.splice(0)) this.#onMessage(frame)
  }

  #onMessage({ headers, body }: Frame): void {
    this.#eventId = header(headers, 'event-id') ?? ''
    const offset = parseEventId(this.#eventId)?.offset ?? NaN
    this.received.push({ offset, body: Buffer.from(body).toString() })
  }
}
