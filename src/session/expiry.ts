import type { Fault } from '../../protocol/payload/fault.ts'
import { at } from '../lib/at.ts'

/** How long before its end a session is told that its token runs out (CONTRACT, section 3). */
const EXPIRY_WARNING_MS = 30_000

/** What it is told. */
export const EXPIRY_WARNING: Fault = {
  code: 'token-expiring',
  message: 'the token of this session runs out: send a fresh one to /app/session/token',
  destination: '',
}

/** Watches over the token of one session. */
export class Expiry {
  readonly #warn: () => boolean
  readonly #end: () => void
  #cancel: (() => void)[] = []
  /** The time for the warning has come, and nobody has heard it yet. */
  #isDue = false

  /** `warn` answers whether anybody listened. */
  constructor({ warn, end }: { warn: () => boolean; end: () => void }) {
    this.#warn = warn
    this.#end = end
  }

  /** Until then the session lasts, or without a time for ever. Whatever held before does no more. */
  watch(expiresAtMs: number | undefined): void {
    this.cancel()
    if (expiresAtMs === undefined) return
    const isDue = (): void => {
      this.#isDue = true
      this.remind()
    }
    this.#cancel = [at(expiresAtMs - EXPIRY_WARNING_MS, isDue), at(expiresAtMs, this.#end)]
  }

  /** Says what was to be said while nobody listened. */
  remind(): void {
    if (this.#isDue) this.#isDue = !this.#warn()
  }

  /** Idempotent. */
  cancel(): void {
    for (const cancel of this.#cancel) cancel()
    this.#cancel = []
    this.#isDue = false
  }
}
