import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import type { ScryptOptions } from 'node:crypto'
import { MessageError } from '../errors.ts'

/** scrypt's cost: 128 * cost * blockSize bytes of memory for each hash under way. */
export interface PasswordOptions {
  /** N, a power of two. Default 16384: 16 MiB and some 50 ms a hash. */
  readonly cost?: number
  /** Hashes under way at once; each keeps a thread of libuv's pool busy. Default 2. */
  readonly concurrency?: number
  /** Hashes that may wait for their turn; beyond it `too-many-pending`. Default 1000. */
  readonly maxWaiting?: number
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
const MAX_PASSWORD_BYTES = 1024

/**
 * Hashes passwords with scrypt (RFC 7914). A hash is one string that carries its own parameters,
 * `scrypt$N$r$p$SALT$KEY` in base64url, so that they can be raised later.
 */
export class Passwords {
  readonly #cost: number
  readonly #concurrency: number
  readonly #maxWaiting: number
  readonly #waiting: (() => void)[] = []
  #running = 0
  readonly #decoy: ScryptHash

  constructor(options: PasswordOptions = {}) {
    this.#cost = options.cost ?? 16_384
    this.#concurrency = options.concurrency ?? 2
    this.#maxWaiting = options.maxWaiting ?? 1000
    this.#decoy = { ...this.#shape(), key: randomBytes(KEY_BYTES) }
  }

  /** Hashes under way: for the metric. */
  get running(): number {
    return this.#running
  }

  /** @throws MessageError `invalid-payload` for an empty password or one above 1,024 bytes */
  async hash(password: string): Promise<string> {
    if (!isUsable(password)) {
      throw new MessageError('invalid-payload', `a password has 1 to ${MAX_PASSWORD_BYTES} bytes`)
    }
    const shape = this.#shape()
    const key = await this.#derive(password, shape, KEY_BYTES)
    return format({ ...shape, key })
  }

  /**
   * Compares in constant time. Without a hash (an unknown user) it works as long as with one and
   * says no, so that the time tells nobody which names exist.
   */
  async verify(password: string, hash: string | null): Promise<boolean> {
    if (!isUsable(password)) return false
    const expected = hash === null ? this.#decoy : parse(hash)
    if (expected === null) throw new MessageError('internal', 'the stored password cannot be read')
    const key = await this.#derive(password, expected, expected.key.length)
    return timingSafeEqual(key, expected.key) && hash !== null
  }

  #shape(): Omit<ScryptHash, 'key'> {
    return { cost: this.#cost, blockSize: BLOCK_SIZE, parallelization: 1, salt: randomBytes(SALT_BYTES) }
  }

  async #derive(password: string, shape: Omit<ScryptHash, 'key'>, length: number): Promise<Buffer> {
    await this.#enter()
    try {
      return await derive(password, shape, length)
    } finally {
      this.#leave()
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#concurrency) {
      this.#running += 1
      return
    }
    if (this.#waiting.length >= this.#maxWaiting) {
      throw new MessageError('too-many-pending', 'too many logins at once')
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running -= 1
    else next() // the place passes to it
  }
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
