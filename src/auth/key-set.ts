import { importJWK, type CryptoKey } from 'jose'
import type { Log } from '../telemetry/log.ts'
import { readBounded } from './read-bounded.ts'
import { publicJwk, type Algorithm } from './public-jwk.ts'

export interface KeySetOptions {
  /** Where the identity provider publishes its keys (RFC 7517, section 5). */
  readonly url: string
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly times?: Partial<KeySetTimes>
  /** The monotonic clock, milliseconds. */
  readonly now?: () => number
}

/** In milliseconds. */
export interface KeySetTimes {
  /**
   * Keys older than this are fetched anew, while they go on being used; older than twice this, before they are:
   * nobody may have asked for days. Default 10 minutes.
   */
  readonly refreshMs: number
  /** For so long known keys are good though the provider is away. Default 24 hours. */
  readonly keepMs: number
  /** Between two fetches, whatever is asked. Default 30 s. */
  readonly cooldownMs: number
  /** Likewise after one that failed. Default 5 s. */
  readonly retryMs: number
  /** Of one fetch. Default 5 s. */
  readonly timeoutMs: number
}

/** A key, and the one algorithm that it is good for. */
export interface VerificationKey {
  readonly algorithm: Algorithm
  readonly key: CryptoKey
}

const DEFAULT_TIMES: KeySetTimes = {
  refreshMs: 600_000,
  keepMs: 86_400_000,
  cooldownMs: 30_000,
  retryMs: 5000,
  timeoutMs: 5000,
}

const MAX_BYTES = 262_144
const MAX_KEYS = 100

/**
 * The keys of an identity provider. Whoever asks for a key that is known has it at once, also while the
 * provider is away; for one that is not known the set is fetched again, once for all who ask, and not again
 * before a pause: made-up key ids cost the provider next to nothing.
 */
export class KeySet {
  readonly #options: KeySetOptions
  readonly #times: KeySetTimes
  readonly #now: () => number
  readonly #closing = new AbortController()
  #keys: ReadonlyMap<string, VerificationKey> = new Map()
  #fetchedAtMs = -Infinity
  #nextFetchMs = -Infinity
  /** The last fetch failed. */
  #isAway = false
  #fetching: Promise<void> | undefined

  constructor(options: KeySetOptions) {
    this.#options = options
    this.#times = { ...DEFAULT_TIMES, ...options.times }
    this.#now = options.now ?? (() => performance.now())
  }

  /** Fetches the keys before anybody asks. Resolves when that is done or has failed, which is logged. */
  async warm(): Promise<void> {
    await this.#refetch()
  }

  /**
   * The key of this id, or without an id the only one there is. Undefined where there is none, or where
   * that cannot be found out. Never rejects.
   */
  async find(id: string | undefined): Promise<VerificationKey | undefined> {
    const ageMs = this.#now() - this.#fetchedAtMs
    if (ageMs > this.#times.keepMs) this.#keys = new Map()
    const known = this.#lookUp(id)
    // While the provider is away nobody waits for it more than once.
    const isStale = ageMs > 2 * this.#times.refreshMs && !this.#isAway
    if (known === undefined || isStale) {
      await this.#refetch()
      return this.#lookUp(id)
    }
    if (ageMs > this.#times.refreshMs) void this.#refetch()
    return known
  }

  /** Gives up a fetch under way. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#fetching
  }

  #lookUp(id: string | undefined): VerificationKey | undefined {
    if (id !== undefined) return this.#keys.get(id)
    const [only, ...more] = this.#keys.values()
    return more.length === 0 ? only : undefined
  }

  async #refetch(): Promise<void> {
    if (this.#fetching === undefined) {
      if (this.#now() < this.#nextFetchMs || this.#closing.signal.aborted) return
      this.#fetching = this.#fetch().finally(() => {
        this.#fetching = undefined
      })
    }
    await this.#fetching
  }

  async #fetch(): Promise<void> {
    const { log } = this.#options
    const { cooldownMs, retryMs } = this.#times
    try {
      this.#keys = await this.#load()
      this.#isAway = false
      this.#fetchedAtMs = this.#now()
      this.#nextFetchMs = this.#fetchedAtMs + cooldownMs
      const count = this.#keys.size
      if (count === 0) log.warn({ event: 'identity-keys', count }, 'the identity provider has no usable key')
      else log.info({ event: 'identity-keys', count }, 'the keys of the identity provider are here')
    } catch (error) {
      this.#isAway = true
      this.#nextFetchMs = this.#now() + retryMs
      const fields = { event: 'identity-provider-away', known: this.#keys.size, err: error }
      if (!this.#closing.signal.aborted) log.warn(fields, 'the identity provider does not give its keys')
    }
  }

  async #load(): Promise<ReadonlyMap<string, VerificationKey>> {
    const abort = new AbortController()
    const stop = (): void => abort.abort()
    const timer = setTimeout(stop, this.#times.timeoutMs)
    this.#closing.signal.addEventListener('abort', stop)
    try {
      const { signal } = abort
      const headers = { accept: 'application/json' }
      // Whoever answers for the provider elsewhere is somebody else.
      const response = await fetch(this.#options.url, { signal, headers, redirect: 'error' })
      if (response.status !== 200) throw new Error(`it answered ${response.status}`)
      return await keysOf(JSON.parse(await readBounded(response, MAX_BYTES)))
    } finally {
      clearTimeout(timer)
      this.#closing.signal.removeEventListener('abort', stop)
      abort.abort()
    }
  }
}

/** Keys of other kinds are left out, and so are those behind the bound. */
async function keysOf(set: unknown): Promise<ReadonlyMap<string, VerificationKey>> {
  const entries: unknown = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined
  if (!Array.isArray(entries)) throw new Error('it answered something else than a key set')
  const keys = new Map<string, VerificationKey>()
  for (const [i, entry] of entries.slice(0, MAX_KEYS).entries()) {
    const found = publicJwk(entry)
    if (found === undefined) continue
    // A key without an id can only be asked for without one.
    const id = found.id ?? `#${i}`
    const key = await importJWK({ ...found.jwk }, found.algorithm).catch(() => undefined)
    if (key === undefined || key instanceof Uint8Array || keys.has(id)) continue
    keys.set(id, { algorithm: found.algorithm, key })
  }
  return keys
}
