import { createHash } from 'node:crypto'
import type { Authenticator } from '../../auth/authenticator.ts'
import { addressKey } from '../../lib/address-key.ts'
import { Attempts } from '../../lib/attempts.ts'

export interface CallerKeysOptions {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  /** Worthless tokens of one address that are looked at within a minute. */
  readonly maxWorthless: number
  /** Tokens remembered; beyond it the oldest is not. Default 5,000. */
  readonly maxKnown?: number
  /** The monotonic clock, milliseconds. */
  readonly now?: () => number
}

/** For how long a good token is not looked at again for the sake of counting; whoever acts on it looks anyway. */
const KNOWN_MS = 10_000
const DEFAULT_MAX_KNOWN = 5000

interface Known {
  readonly user: Promise<string | undefined>
  readonly untilMs: number
}

/**
 * By what callers are counted: the user where the token is good, else the address. To look at a token costs a
 * signature and a question to the database, which a flood must not get for each request: a good one is remembered
 * for a while, and of an address that brought too many worthless ones none that is not known is looked at.
 */
export class CallerKeys {
  readonly #options: CallerKeysOptions
  readonly #worthless: Attempts
  readonly #now: () => number
  /** By the token's hash, the oldest first. */
  readonly #known = new Map<string, Known>()

  constructor(options: CallerKeysOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#worthless = new Attempts({ max: options.maxWorthless, now: this.#now })
  }

  /** Never rejects. A token that is not checked would give whoever makes tokens up a new allowance with each. */
  async of(bearer: string | undefined, address: string): Promise<string> {
    const place = addressKey(address)
    const user = bearer === undefined ? undefined : await this.#userOf(bearer, place)
    return user === undefined ? `address ${place}` : `user ${user}`
  }

  #userOf(bearer: string, place: string): Promise<string | undefined> | undefined {
    const id = createHash('sha256').update(bearer).digest('base64url')
    const known = this.#known.get(id)
    if (known !== undefined && known.untilMs > this.#now()) return known.user
    if (this.#worthless.waitMs(place) > 0) return undefined
    const user = this.#look(bearer, id, place)
    this.#remember(id, user)
    return user
  }

  async #look(bearer: string, id: string, place: string): Promise<string | undefined> {
    try {
      const principal = await this.#options.authenticator.authenticate({ bearer })
      if (principal !== undefined) return principal.name
      this.#worthless.count(place)
    } catch {
      // It cannot be found out now, which is not the caller's fault.
    }
    this.#known.delete(id)
    return undefined
  }

  #remember(id: string, user: Promise<string | undefined>): void {
    this.#known.delete(id)
    this.#known.set(id, { user, untilMs: this.#now() + KNOWN_MS })
    const [oldest] = this.#known.keys()
    const isFull = this.#known.size > (this.#options.maxKnown ?? DEFAULT_MAX_KNOWN)
    if (isFull && oldest !== undefined) this.#known.delete(oldest)
  }
}
