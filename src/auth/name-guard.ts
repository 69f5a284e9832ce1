import { addressKey } from '../lib/address-key.ts'
import { Attempts } from '../lib/attempts.ts'

export interface NameGuardOptions {
  /** Wrong passwords of one name within a minute, from all addresses. Default 60. */
  readonly max?: number
  /** Names with the address they logged in from that are remembered; beyond it the oldest is not. Default 10,000. */
  readonly maxFamiliar?: number
  /** The monotonic clock, milliseconds. */
  readonly now?: () => number
}

const DEFAULT_MAX_FAMILIAR = 10_000

/**
 * Bounds the guesses at one name, which may come from many addresses with few each. Whoever logged in by the name
 * from an address goes on from there, so that guessing does not lock them out.
 */
export class NameGuard {
  readonly #failures: Attempts
  readonly #maxFamiliar: number
  /** The latest last. */
  readonly #familiar = new Set<string>()

  constructor({ max = 60, maxFamiliar = DEFAULT_MAX_FAMILIAR, now }: NameGuardOptions = {}) {
    this.#failures = new Attempts({ max, ...(now !== undefined && { now }) })
    this.#maxFamiliar = maxFamiliar
  }

  /** Whether no password of this name is looked at now that comes from there. */
  isClosed(name: string, address: string): boolean {
    return this.#failures.waitMs(name) > 0 && !this.#familiar.has(placeOf(name, address))
  }

  failed(name: string): void {
    this.#failures.count(name)
  }

  succeeded(name: string, address: string): void {
    const place = placeOf(name, address)
    this.#familiar.delete(place)
    this.#familiar.add(place)
    const [oldest] = this.#familiar
    if (this.#familiar.size > this.#maxFamiliar && oldest !== undefined) this.#familiar.delete(oldest)
  }
}

function placeOf(name: string, address: string): string {
  return `${name} ${addressKey(address)}`
}
