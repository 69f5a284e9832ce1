import { SharedMessage } from '../../protocol/encoder.ts'
import type { Version } from '../../protocol/version.ts'
import type { Delivery } from '../broker/broker.ts'
import { isTextBody, type EncodedFrame } from './encoded-frame.ts'

/** What a message weighs besides its headers and body; only for the bound on pending bytes. */
const OVERHEAD_BYTES = 64

/**
 * One delivery on its way to this node's subscribers. Body and headers are encoded once for each
 * destination shown, however many subscription ids there are; most messages show just one.
 */
export class FanoutMessage {
  /** Roughly what keeping the message costs. */
  readonly bytes: number
  readonly delivery: Delivery
  readonly #messageId: string
  readonly #encoded = new Map<string, SharedMessage>()
  #isText: boolean | undefined

  constructor(delivery: Delivery, messageId: string) {
    this.delivery = delivery
    this.#messageId = messageId
    let bytes = OVERHEAD_BYTES + delivery.body.byteLength
    for (const text of delivery.headers) bytes += text.length
    this.bytes = bytes
  }

  /** The same without `event-id`. */
  anonymous(): FanoutMessage {
    const { eventId: _, ...rest } = this.delivery
    return new FanoutMessage(rest, this.#messageId)
  }

  /** @param shownAs what `destination` says; without it, where the message was published to */
  encodeFor(subscriptionId: string, version: Version, shownAs?: string): EncodedFrame {
    const shared = this.#sharedFor(shownAs ?? this.#ownDestination())
    this.#isText ??= isTextBody(this.delivery.headers, this.delivery.body)
    return { bytes: shared.encodeFor(subscriptionId, version), isText: this.#isText }
  }

  #sharedFor(destination: string): SharedMessage {
    let shared = this.#encoded.get(destination)
    if (shared === undefined) {
      const { headers, body, eventId } = this.delivery
      // Ours come first: where a name is repeated, the first one counts.
      const own = ['destination', destination, 'message-id', this.#messageId]
      if (eventId !== undefined) own.push('event-id', eventId)
      shared = new SharedMessage([...own, ...headers], body)
      this.#encoded.set(destination, shared)
    }
    return shared
  }

  #ownDestination(): string {
    const { address } = this.delivery
    if (address.kind === 'user') return address.destination
    // As RabbitMQ writes it, and as one subscribes to it: a plain slash cannot be in a topic.
    return `/topic/${address.topic.replaceAll('/', '%2F')}`
  }
}
