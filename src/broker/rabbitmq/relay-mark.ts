import { createHmac } from 'node:crypto'
import type { BrokerUrl } from '../../config/broker-url.ts'

const MARK_CHARS = 22

/**
 * Proves that a message comes from a relay node. RabbitMQ checks the `user-id` property, but its STOMP
 * plugin renders a header-table entry of the same name alike: any account that may publish over AMQP
 * can write one. So each message bears a keyed hash of what the relay headers claim. The key is derived
 * from the account all nodes share; a copied mark only repeats a sequence number that was seen.
 */
export class RelayMark {
  readonly #key: Buffer

  constructor(url: BrokerUrl) {
    this.#key = createHmac('sha256', url.password).update(`stomp-relay mark 1 ${url.user}`).digest()
  }

  /** @param claims every relay header and the address, in a fixed order */
  of(...claims: readonly string[]): string {
    // Lengths keep neighbouring claims apart.
    const text = claims.map((claim) => `${claim.length}:${claim}`).join('')
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, MARK_CHARS)
  }
}
