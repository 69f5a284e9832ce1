import { randomUUID } from 'node:crypto'
import { parseEventId } from '../../protocol/event-id.ts'
import { header, type Frame } from '../../protocol/frame.ts'
import { deferred } from '../../src/lib/deferred.ts'
import type { ServiceNode } from '../support/service-rig.ts'
import { StompClient } from '../support/stomp-client.ts'

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

/** What stands in a stream, as a device or the store has it. */
export interface SeenEvent {
  readonly offset: number
  readonly body: string
}

export interface DeviceAim {
  readonly token: string
  readonly destinations: readonly string[]
  /** The nodes that live now, the one to go to first. */
  readonly nodes: () => readonly ServiceNode[]
}

/**
 * A STOMP client as people have them: it comes back by itself when its node is gone, goes on where it was, and sends
 * again what got no RECEIPT.
 */
export class Device {
  /** How often it had to come back. */
  returns = 0
  /** What a SUBSCRIBE said that could not recover all. */
  readonly losses: string[] = []
  readonly #t: Teardown
  readonly #aim: DeviceAim
  readonly #seen = new Map<string, SeenEvent[]>()
  readonly #positions = new Map<string, string>()
  #client: StompClient | undefined
  #isThere = deferred()
  #isOver = false

  constructor(t: Teardown, aim: DeviceAim) {
    this.#t = t
    this.#aim = aim
    for (const destination of aim.destinations) this.#seen.set(destination, [])
  }

  /** Resolves when it is subscribed to everything. */
  async start(): Promise<void> {
    await this.#connect()
    this.#stay().catch((error: unknown) => this.losses.push(String(error)))
  }

  /** Sends until there is a RECEIPT; the payload bears a `clientId`, so that it is stored once. */
  async send(destination: string, payload: Readonly<Record<string, unknown>>): Promise<void> {
    const body = JSON.stringify({ clientId: randomUUID(), ...payload })
    for (;;) {
      await this.#isThere.promise
      const client = this.#client!
      try {
        await client.ask('SEND', ['destination', destination], body)
        return
      } catch (error) {
        if (client.webSocket.readyState === client.webSocket.OPEN) throw error
        await client.closed
      }
    }
  }

  /** Sends what nobody needs to get. */
  mention(destination: string, payload: unknown): void {
    this.#client?.send('SEND', ['destination', destination], JSON.stringify(payload))
  }

  /** What it has of a stream once that has come as far. */
  async upTo(destination: string, offset: number): Promise<readonly SeenEvent[]> {
    const seen = this.#seen.get(destination)!
    const isThere = (): boolean => {
      this.#take(this.#client!)
      return (seen.at(-1)?.offset ?? 0) >= offset
    }
    await this.#client!.until(isThere)
    return seen
  }

  /** Waits until something was said at a destination. */
  async hears(destination: string, fits: (payload: Record<string, unknown>) => boolean): Promise<void> {
    const seen = this.#seen.get(destination)!
    for (;;) {
      await this.#isThere.promise
      const client = this.#client!
      const isHeard = (): boolean => {
        this.#take(client)
        return seen.some(({ body }) => fits(JSON.parse(body) as Record<string, unknown>))
      }
      try {
        await client.until(() => isHeard() || client.webSocket.readyState === client.webSocket.CLOSED)
      } catch (error) {
        if (!isHeard()) throw error
      }
      if (isHeard()) return
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#client?.close()
  }

  async #stay(): Promise<void> {
    while (!this.#isOver) {
      await this.#client!.closed
      if (this.#isOver) return
      this.#isThere = deferred()
      this.#take(this.#client!)
      this.returns += 1
      await this.#connect()
    }
  }

  async #connect(): Promise<void> {
    for (;;) {
      try {
        this.#client = await this.#open()
        this.#isThere.resolve()
        return
      } catch (error) {
        if (this.#aim.nodes().length === 0) throw error
      }
    }
  }

  async #open(): Promise<StompClient> {
    const failures: unknown[] = []
    for (const { url } of this.#aim.nodes()) {
      try {
        const client = await StompClient.open(this.#t, url)
        client.send('CONNECT', ['accept-version', '1.2', 'Authorization', `Bearer ${this.#aim.token}`])
        await client.next('CONNECTED')
        for (const destination of this.#aim.destinations) await this.#subscribe(client, destination)
        return client
      } catch (error) {
        failures.push(error)
      }
    }
    throw new AggregateError(failures, 'no node lets this device in')
  }

  async #subscribe(client: StompClient, destination: string): Promise<void> {
    const position = this.#positions.get(destination)
    const from = position === undefined ? ['history', '1'] : ['last-event-id', position]
    const { headers } = await client.ask('SUBSCRIBE', [
      'id',
      destination,
      'destination',
      destination,
      ...from,
    ])
    if (position !== undefined && header(headers, 'recovered') !== 'true') {
      this.losses.push(`${destination}: ${header(headers, 'reason')}`)
    }
    const eventId = header(headers, 'event-id')
    // What was replayed is in the inbox already, and is where to go on.
    if (eventId !== undefined && position === undefined) this.#positions.set(destination, eventId)
  }

  #take(client: StompClient): void {
    const isMessage = ({ command }: Frame): boolean => command === 'MESSAGE'
    const messages = client.inbox.filter((frame) => isMessage(frame))
    const others = client.inbox.filter((frame) => !isMessage(frame))
    client.inbox.splice(0, client.inbox.length, ...others)
    for (const { headers, body } of messages) {
      const destination = header(headers, 'subscription') ?? ''
      const eventId = header(headers, 'event-id')
      if (eventId !== undefined) this.#positions.set(destination, eventId)
      const offset = parseEventId(eventId ?? '')?.offset ?? 0
      this.#seen.get(destination)!.push({ offset, body: Buffer.from(body).toString() })
    }
  }
}
