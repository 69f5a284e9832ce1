import { createHmac, hash } from 'node:crypto'
import type { BrokerUrl } from '../../config/broker-url.ts'

const MARK_CHARS = 22

/** Of SHA-256, in bytes (FIPS 180-4): HMAC pads its key to a block. */
const BLOCK = 64
const DIGEST = 32
const INNER_PAD = 0x36
const OUTER_PAD = 0x5c
/** Text beyond it gets a buffer of its own. */
const SCRATCH_BYTES = 2048
/** UTF-8 takes at most three bytes for a UTF-16 code unit. */
const MAX_UTF8 = 3

/**
 * Proves that a message comes from a relay node. RabbitMQ checks the `user-id` property, but its STOMP
 * plugin renders a header-table entry of the same name alike: any account that may publish over AMQP
 * can write one. So each message bears a keyed hash of what the relay headers claim. The key is derived
 * from the account all nodes share; a copied mark only repeats a sequence number that was seen.
 *
 * The hash is HMAC-SHA-256 (RFC 2104, section 2), put together of two plain ones: Node's own makes a native
 * object each time, which costs twice as much, and the collector many times as much.
 */
export class RelayMark {
  readonly #inner: Buffer
  readonly #outer: Buffer
  readonly #scratch: Buffer

  constructor(url: BrokerUrl) {
    const key = createHmac('sha256', url.password).update(`stomp-relay mark 1 ${url.user}`).digest()
    this.#inner = padded(key, INNER_PAD)
    this.#outer = Buffer.concat([padded(key, OUTER_PAD), Buffer.alloc(DIGEST)])
    this.#scratch = Buffer.concat([this.#inner, Buffer.alloc(SCRATCH_BYTES)])
  }

  /** @param claims every relay header and the address, in a fixed order */
  of(...claims: readonly string[]): string {
    // Lengths keep neighbouring claims apart.
    let text = ''
    for (const claim of claims) text += `${claim.length}:${claim}`
    this.#outer.write(hash('sha256', this.#keyed(text), 'binary'), BLOCK, 'binary')
    return hash('sha256', this.#outer, 'base64url').slice(0, MARK_CHARS)
  }

  #keyed(text: string): Buffer {
    if (text.length * MAX_UTF8 > SCRATCH_BYTES) return Buffer.concat([this.#inner, Buffer.from(text)])
    return this.#scratch.subarray(0, BLOCK + this.#scratch.write(text, BLOCK))
  }
}

/** The key, no longer than a block, as HMAC mixes it in. */
function padded(key: Buffer, pad: number): Buffer {
  const block = Buffer.alloc(BLOCK, pad)
  for (const [i, byte] of key.entries()) block[i] = byte ^ pad
  return block
}
