import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import type { ScryptOptions } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { MessageError } from '../errors.ts'
import { addressKey } from '../lib/address-key.ts'
import { FairQueue } from '../lib/fair-queue.ts'

/** scrypt's cost: 128 * cost * blockSize bytes of memory for each hash under way. */
export interface PasswordOptions {
  /** N, a power of two. Default 16384: 16 MiB and some 50 ms a hash. */
  readonly cost?: number
  /** Hashes under way at once; each keeps a thread of libuv's pool busy. Default 2, or 1 where 2 would take all processors. */
  readonly concurrency?: number
  /** Hashes that may wait for their turn; beyond it `too-many-pending`. Default 1000. */
  readonly maxWaiting?: number
  /** Of one address, or IPv6 network, likewise. Default 8. */
  readonly maxWaitingPerAddress?: number
}

/** Who asks, and may leave before the answer. */
export interface Asker {
  /** Whether nobody waits for the answer any more: then no work is done for it. */
  readonly isAbandoned?: () => boolean
  /** Where from, for the audit, and so that those of other addresses need not wait for many of one. */
  readonly address?: string
}

interface Waiting {
  /** The place has come, or not: nobody wants it any more. */
  readonly settle: (hasPlace: boolean) => void
  readonly isAbandoned: () => boolean
}

interface ScryptHash {
  readonly cost: number
  readonly blockSize: number
  readonly parallelization: number
  readonly salt: Buffer
  readonly key: Buffer
}

const BLOCK_SIZE = 8
const SALT_BYTES = 16
const KEY_BYTES = 32
/** Whoever guesses passwords must not keep the event loop from its processor. */
const CONCURRENCY = Math.min(2, Math.max(1, availableParallelism() - 1))
const MAX_PASSWORD_BYTES = 1024
/** Askers of the node itself, who bring few, share a line. */
const NO_ADDRESS = ''

/**
 * Hashes passwords with scrypt (RFC 7914). A hash is one string that carries its own parameters,
 * `scrypt$N$r$p$SALT$KEY` in base64url, so that they can be raised later. Addresses take turns: a storm from
 * one, of right passwords too, costs others the time of one hash each.
 */
export class Passwords {
  readonly #cost: number
  readonly #concurrency: number
  readonly #maxWaiting: number
  readonly #maxWaitingPerAddress: number
  readonly #waiting = new FairQueue<Waiting>()
  #running = 0
  readonly #decoy: ScryptHash

  constructor(options: PasswordOptions = {}) {
    this.#cost = options.cost ?? 16_384
    this.#concurrency = options.concurrency ?? CONCURRENCY
    this.#maxWaiting = options.maxWaiting ?? 1000
    this.#maxWaitingPerAddress = options.maxWaitingPerAddress ?? 8
    this.#decoy = { ...this.#shape(), key: randomBytes(KEY_BYTES) }
  }

  /** Hashes under way: for the metric. */
  get running(): number {
    return this.#running
  }

  /**
   * @throws MessageError `invalid-payload` for an empty password or one above 1,024 bytes, or where the asker
   * has left; `too-many-pending`
   */
  async hash(password: string, asker: Asker = {}): Promise<string> {
    if (!isUsable(password)) {
      throw new MessageError('invalid-payload', `a password has 1 to ${MAX_PASSWORD_BYTES} bytes`)
    }
    const shape = this.#shape()
    if (!(await this.#enter(asker)))
      throw new MessageError('invalid-payload', 'nobody waits for this password')
    const key = await this.#derive(password, shape, KEY_BYTES)
    return format({ ...shape, key })
  }

  /**
   * Compares in constant time. Without a hash (an unknown user) it works as long as with one and
   * says no, so that the time tells nobody which names exist. Says no without work, in its turn or
   * earlier, when the asker has left.
   * @throws MessageError `too-many-pending`; `internal` for a stored hash that is none
   */
  async verify(password: string, hash: string | null, asker: Asker = {}): Promise<boolean> {
    if (!isUsable(password)) return false
    const expected = hash === null ? this.#decoy : parse(hash)
    if (expected === null) throw new MessageError('internal', 'the stored password cannot be read')
    if (!(await this.#enter(asker))) return false
    const key = await this.#derive(password, expected, expected.key.length)
    return timingSafeEqual(key, expected.key) && hash !== null
  }

  #shape(): Omit<ScryptHash, 'key'> {
    return { cost: this.#cost, blockSize: BLOCK_SIZE, parallelization: 1, salt: randomBytes(SALT_BYTES) }
  }

  /** In a place that `#enter` gave, which is free afterwards. */
  async #derive(password: string, shape: Omit<ScryptHash, 'key'>, length: number): Promise<Buffer> {
    try {
      return await derive(password, shape, length)
    } finally {
      this.#leave()
    }
  }

  /** @returns whether there is a place to work in; false where the asker has left */
  async #enter({ isAbandoned = stays, address }: Asker): Promise<boolean> {
    if (isAbandoned()) return false
    if (this.#running < this.#concurrency) {
      this.#running += 1
      return true
    }
    const line = address === undefined ? NO_ADDRESS : addressKey(address)
    if (this.#isFull(line)) this.#dropAbandoned()
    if (this.#isFull(line)) throw new MessageError('too-many-pending', 'too many logins at once')
    return new Promise<boolean>((settle) => {
      this.#waiting.push(line, { settle, isAbandoned })
    })
  }

  #isFull(line: string): boolean {
    const isLineFull = line !== NO_ADDRESS && this.#waiting.of(line) >= this.#maxWaitingPerAddress
    return isLineFull || this.#waiting.size >= this.#maxWaiting
  }

  /** The place passes to the next one that still wants it. */
  #leave(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const isWanted = !next.isAbandoned()
      next.settle(isWanted)
      if (isWanted) return
    }
    this.#running -= 1
  }

  /** Those who left must not keep others from waiting. */
  #dropAbandoned(): void {
    for (const each of this.#waiting.remove(({ isAbandoned }) => isAbandoned())) each.settle(false)
  }
}

function stays(): boolean {
  return false
}

function isUsable(password: string): boolean {
  return password.length > 0 && Buffer.byteLength(password) <= MAX_PASSWORD_BYTES
}

function derive(password: string, shape: Omit<ScryptHash, 'key'>, length: number): Promise<Buffer> {
  const options: ScryptOptions = {
    cost: shape.cost,
    blockSize: shape.blockSize,
    parallelization: shape.parallelization,
    maxmem: 2 * 128 * shape.cost * shape.blockSize,
  }
  return new Promise((resolve, reject) => {
    // NFC, as the same password is typed with different code points on different keyboards.
    scrypt(password.normalize('NFC'), shape.salt, length, options, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}

function format(hash: ScryptHash): string {
  const { cost, blockSize, parallelization, salt, key } = hash
  return [
    'scrypt',
    cost,
    blockSize,
    parallelization,
    salt.toString('base64url'),
    key.toString('base64url'),
  ].join('$')
}

const HASH = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([\w-]{16,})\$([\w-]{32,})$/

function parse(text: string): ScryptHash | null {
  const [, cost, blockSize, parallelization, salt, key] = HASH.exec(text) ?? []
  if (salt === undefined || key === undefined) return null
  return {
    cost: Number(cost),
    blockSize: Number(blockSize),
    parallelization: Number(parallelization),
    salt: Buffer.from(salt, 'base64url'),
    key: Buffer.from(key, 'base64url'),
  }
}
