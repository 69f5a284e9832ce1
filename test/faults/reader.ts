import type { IFrame, IMessage } from '@stomp/stompjs'
import { parseEventId } from '../../protocol/event-id.ts'
import { within } from '../../src/lib/within.ts'
import { testToken } from '../support/token.ts'
import type { Cluster } from './cluster.ts'
import { READER, WATCHED } from './message-plan.ts'
import { StompLink } from './stomp-link.ts'

/** What a subscriber got of one stream. */
export interface Reading {
  readonly stream: string
  /** Behind which offset it began; undefined until the first RECEIPT. */
  begin: number | undefined
  /** In the order in which they came. */
  readonly received: { readonly offset: number; readonly content: string }[]
  /** With which it resumes: of the last MESSAGE or the last RECEIPT. */
  eventId: string | undefined
}

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

const PATIENCE_MS = 60_000
const MAX_FAULTS = 20

/** A subscriber that resumes each stream where it was, whenever its connection broke. */
export class Reader {
  readonly link: StompLink
  readonly name: string
  readonly home: number
  readonly readings: readonly Reading[]
  /** SUBSCRIBEs that went on where the one before had ended. */
  resumed = 0
  /** What the server said that it should not have. */
  readonly faults: string[] = []
  #wake: (() => void)[] = []

  private constructor(t: Teardown, parts: { name: string; home: number; cluster: Cluster; token: string }) {
    this.name = parts.name
    this.home = parts.home
    this.readings = WATCHED.map(({ stream }) => ({
      stream,
      begin: undefined,
      received: [],
      eventId: undefined,
    }))
    this.link = new StompLink(t, {
      ...parts,
      onConnect: () => this.#subscribe(),
      onReceipt: (frame) => this.#onReceipt(frame),
      onClose: () => undefined,
    })
  }

  /** Resolves when it has begun with every stream. */
  static async start(
    t: Teardown,
    options: { readonly name: string; readonly home: number; readonly cluster: Cluster },
  ): Promise<Reader> {
    const reader = new Reader(t, { ...options, token: await testToken(READER, 'user') })
    await reader.link.open()
    await reader.until(() => reader.readings.every(({ begin }) => begin !== undefined))
    return reader
  }

  get delivered(): number {
    return this.readings.reduce((sum, { received }) => sum + received.length, 0)
  }

  /** Where the stream stands for this subscriber. */
  lastOf(stream: string): number {
    const reading = this.readings.find((each) => each.stream === stream)
    return reading === undefined ? 0 : lastOffset(reading)
  }

  /** Waits until something holds of what was received. */
  async until(holds: () => boolean): Promise<void> {
    const wait = async (): Promise<void> => {
      while (!holds()) await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
    await within(
      wait(),
      PATIENCE_MS,
      () => new Error(`${this.name} waits for what does not come: ${this.seen}`),
    )
  }

  get seen(): string {
    const streams = this.readings.map((reading) => `${reading.stream} up to ${lastOffset(reading)}`)
    return [...streams, ...this.faults, ...this.link.errors].join('; ')
  }

  #subscribe(): void {
    for (const [i, { destination }] of WATCHED.entries()) {
      const reading = this.readings[i]!
      // Nothing was promised before the first RECEIPT.
      if (reading.begin === undefined) reading.received.length = 0
      this.link.client.subscribe(destination, (message) => this.#onMessage(reading, message), {
        id: reading.stream,
        receipt: reading.stream,
        ...(reading.eventId !== undefined && { 'last-event-id': reading.eventId }),
      })
    }
  }

  #onMessage(reading: Reading, { headers, body }: IMessage): void {
    const eventId = headers['event-id'] ?? ''
    const { content } = JSON.parse(body) as { content: string }
    reading.received.push({ offset: parseEventId(eventId)?.offset ?? NaN, content })
    if (reading.begin === undefined) this.#fault(`${reading.stream}: ${eventId} came before the RECEIPT`)
    else reading.eventId = eventId
    this.#notify()
  }

  #onReceipt({ headers }: IFrame): void {
    const reading = this.readings.find(({ stream }) => stream === headers['receipt-id'])!
    const eventId = headers['event-id'] ?? ''
    const offset = parseEventId(eventId)?.offset ?? NaN
    const said = `${reading.stream}: RECEIPT says recovered:${headers['recovered']} and ${eventId}`
    if (reading.begin === undefined) {
      reading.begin = offset
      if (headers['recovered'] !== undefined) this.#fault(said)
    } else {
      this.resumed += 1
      const isRight = headers['recovered'] === 'true' && offset === lastOffset(reading)
      if (!isRight) this.#fault(`${said} after ${lastOffset(reading)}`)
    }
    reading.eventId = eventId
    this.#notify()
  }

  #fault(fault: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push(fault)
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = []
    for (const resolve of wake) resolve()
  }
}

function lastOffset({ begin, received }: Reading): number {
  return received.at(-1)?.offset ?? begin ?? 0
}
