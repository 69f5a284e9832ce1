import type { PolicyRequest } from '../auth/policy.ts'

export interface PermitParts {
  /** Whether an event may tell that the fact has changed for this user: it tells before anybody else does. */
  readonly mayTell: (body: Uint8Array, user: string) => boolean
  /** Whether the fact holds and cannot change any more. */
  readonly isForGood: () => boolean
  readonly ask: () => Promise<boolean>
  readonly onEnd: () => void
}

/** That somebody may do something as long as a fact holds. */
export class Permit {
  readonly #request: PolicyRequest
  readonly #parts: PermitParts
  #isDoubted = false
  #listener: (() => void) | undefined

  constructor(request: PolicyRequest, parts: PermitParts) {
    this.#request = request
    this.#parts = parts
  }

  /** Asks the policy again. Rejects where the fact cannot be had now. */
  holds(): Promise<boolean> {
    return this.#parts.ask()
  }

  /** Whether an event of what is permitted may tell that it is so no more. */
  isDoubtedBy(body: Uint8Array): boolean {
    return !this.#parts.isForGood() && this.#parts.mayTell(body, this.#request.principal.name)
  }

  /** The fact may have changed. */
  doubt(): void {
    this.#isDoubted = true
    this.#listener?.()
  }

  /** Calls the listener at each doubt, at once where there has been one already. */
  onDoubt(listener: () => void): void {
    this.#listener = listener
    if (this.#isDoubted) listener()
  }

  /** Idempotent. */
  end(): void {
    this.#listener = undefined
    this.#parts.onEnd()
  }
}
