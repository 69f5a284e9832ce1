import { publishableHeaders } from '../../protocol/headers.ts'
import { header } from '../../protocol/frame.ts'
import type { Address, Broker, BrokerMessage, BrokerSession, BrokerSessionSink } from '../broker/broker.ts'
import { SessionError } from '../errors.ts'
import type { SendCall, SessionView } from './call.ts'

// What a session handles of the broker's, named here because it sees no further than this folder.
export type { AckMode, SessionMessage } from '../broker/broker.ts'

type NodeAddress = Exclude<Address, { kind: 'queue' }>

/**
 * One client's way to the broker. At first its SENDs to topics go through the node's publisher. The
 * first thing that needs queues, acks or transactions opens a broker session of its own, and from then
 * on all its broker SENDs take that, so that a topic cannot overtake a queue.
 */
export class BrokerLink {
  readonly #broker: Broker
  readonly #view: SessionView
  readonly #sink: BrokerSessionSink
  /** As many as a session may have frames under way. */
  readonly #unconfirmed = new Set<Promise<void>>()
  #session: Promise<BrokerSession> | undefined
  #closing: Promise<void> | undefined

  constructor(broker: Broker, view: SessionView, sink: BrokerSessionSink) {
    this.#broker = broker
    this.#view = view
    this.#sink = sink
  }

  /** Publishes to an address that all clients of the node may share, in the order of calls. */
  publish(address: NodeAddress, call: SendCall): Promise<void> {
    if (this.#session !== undefined && address.kind === 'topic') return this.send(call)
    const hasReceipt = header(call.headers, 'receipt') !== undefined
    const published = this.#broker.publish(brokerMessage(address, call), { patient: hasReceipt })
    this.#unconfirmed.add(published)
    const forget = (): void => void this.#unconfirmed.delete(published)
    published.then(forget, forget)
    return published
  }

  /** Sends to `/queue`, `/exchange` and the like, or within a transaction, by the client's own session. */
  async send(call: SendCall, transaction?: string): Promise<void> {
    const confirm = header(call.headers, 'receipt') !== undefined
    const { destination, body } = call
    // What RabbitMQ acts on itself, and only there.
    const isPersistent = header(call.headers, 'persistent') === 'true'
    const headers = [...publishableHeaders(call.headers), ...(isPersistent ? ['persistent', 'true'] : [])]
    const session = await this.own()
    await session.send(
      { destination, headers, body, ...(transaction !== undefined && { transaction }) },
      { confirm },
    )
  }

  /** The client's own broker session, opened at the first call. Rejects where the broker is away. */
  own(): Promise<BrokerSession> {
    if (this.#closing !== undefined)
      return Promise.reject(new SessionError('session-closed', 'the session is over'))
    this.#session ??= this.#open()
    return this.#session
  }

  /** Whether anything was ever done that needed a session of the client's own. */
  get hasOwn(): boolean {
    return this.#session !== undefined
  }

  /** Idempotent. What the client had not acknowledged goes back to its queues. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined)
    await session?.close()
  }

  async #open(): Promise<BrokerSession> {
    await Promise.allSettled(this.#unconfirmed)
    try {
      return await this.#broker.openSession(this.#view.principal, this.#sink)
    } catch (error) {
      this.#session = undefined
      throw error
    }
  }
}

/** The message that subscribers of a shared address get for a client's SEND. */
function brokerMessage(address: NodeAddress, call: SendCall): BrokerMessage {
  return {
    address,
    headers: publishableHeaders(call.headers),
    body: call.body,
    persistent: header(call.headers, 'persistent') === 'true',
  }
}
