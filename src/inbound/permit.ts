import type { PolicyRequest } from '../auth/policy.ts'

export interface PermitParts {
  readonly ask: () => Promise<boolean>
  readonly onEnd: () => void
}

const decoder = new TextDecoder()

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

  /** Whether an event of the order may be one of another owner: it tells before anybody else does. */
  isDoubtedBy(body: Uint8Array): boolean {
    try {
      const event: unknown = JSON.parse(decoder.decode(body))
      const isObject = typeof event === 'object' && event !== null
      return !isObject || !('userId' in event) || event.userId !== this.#request.principal.name
    } catch {
      return true
    }
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
