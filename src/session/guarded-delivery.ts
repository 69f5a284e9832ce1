import { setTimeout as delay } from 'node:timers/promises'
import { MessageError } from '../errors.ts'
import type { Permit } from '../inbound/permit.ts'
import { backoffMs } from '../lib/backoff.ts'
import type { EncodedBatch, SessionTransport } from './transport.ts'

/** What may come while it is asked whether it may be handed on. */
const MAX_HELD_BYTES = 524_288

/** How often it is asked again what could not be found out: over some 30 s, while a store comes back. */
export const MAX_REPEATS = 16
const REPEAT_BASE_MS = 200
const REPEAT_MAX_MS = 5000

export interface GuardedDeliveryParts {
  readonly permit: Permit
  readonly destination: string
  /** To where the client sees it. */
  readonly transport: Pick<SessionTransport, 'deliver' | 'room'>
  /** Before it is asked again; 0 is the first repeat. Must not reject. */
  readonly pause?: (attempt: number) => Promise<void>
}

const pauseByBackoff = (attempt: number): Promise<void> =>
  delay(backoffMs(attempt, REPEAT_BASE_MS, REPEAT_MAX_MS), undefined, { ref: false })

/**
 * Hands messages on for as long as a permit holds. As soon as that is in doubt, by word of another node or
 * by a message itself, everything is held until the policy has been asked again: whoever has lost the right
 * does not see the message that says so. Where the policy cannot be asked now, that may take a while.
 */
export class GuardedDelivery {
  readonly #parts: GuardedDeliveryParts
  #held: EncodedBatch[] = []
  #heldBytes = 0
  #isDoubted = false
  #isEnded = false
  /** Never rejects. */
  #asking: Promise<void> | undefined
  #refusal: { readonly error: unknown } | undefined
  #onRefused: ((error: unknown) => void) | undefined

  constructor(parts: GuardedDeliveryParts) {
    this.#parts = parts
    parts.permit.onDoubt(() => {
      this.#isDoubted = true
      this.#begin()
    })
  }

  deliver(batch: EncodedBatch): void {
    if (this.#isEnded) return
    const { permit, transport } = this.#parts
    if (
      this.#asking === undefined &&
      !batch.messages.some(({ delivery }) => permit.isDoubtedBy(delivery.body))
    ) {
      transport.deliver(batch)
      return
    }
    this.#held.push(batch)
    for (const { bytes } of batch.messages) this.#heldBytes += bytes
    if (this.#heldBytes > MAX_HELD_BYTES) {
      this.#refuse(new MessageError('too-many-pending', `too much came at ${this.#parts.destination}`))
    } else {
      this.#begin()
    }
  }

  /** As the transport's, and not before it is known whether to go on. */
  room(): Promise<void> | undefined {
    const { transport } = this.#parts
    return this.#asking?.then(() => transport.room()) ?? transport.room()
  }

  /**
   * Calls back once, when the right is lost or cannot be found out for long.
   *
   * @returns what would have been told, where that happened already
   */
  begin(onRefused: (error: unknown) => void): { readonly error: unknown } | undefined {
    this.#onRefused = onRefused
    return this.#refusal
  }

  /** Nothing is handed on any more. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Idempotent. */
  end(): void {
    this.#isEnded = true
    this.#held = []
    this.#parts.permit.end()
  }

  #begin(): void {
    this.#asking ??= this.#ask()
  }

  async #ask(): Promise<void> {
    try {
      while (!this.#isEnded && (this.#isDoubted || this.#held.length > 0)) {
        const judged = this.#held
        this.#held = []
        this.#isDoubted = false
        if (!(await this.#holds())) throw this.#lost()
        this.#handOn(judged)
      }
    } catch (error) {
      this.#refuse(error)
    }
    this.#asking = undefined
  }

  /** That the store is away says nothing about the right: it would end every subscription of the kind. */
  async #holds(): Promise<boolean> {
    const { permit, pause = pauseByBackoff } = this.#parts
    for (let attempt = 0; !this.#isEnded; attempt += 1) {
      try {
        return await permit.holds()
      } catch (error) {
        if (attempt >= MAX_REPEATS) throw error
      }
      await pause(attempt)
    }
    return false
  }

  #handOn(batches: readonly EncodedBatch[]): void {
    for (const batch of batches) {
      for (const { bytes } of batch.messages) this.#heldBytes -= bytes
      if (!this.#isEnded) this.#parts.transport.deliver(batch)
    }
  }

  #lost(): MessageError {
    return new MessageError('forbidden', `SUBSCRIBE to ${this.#parts.destination} is not allowed any more`)
  }

  #refuse(error: unknown): void {
    if (this.#isEnded) return
    this.end()
    this.#refusal = { error }
    this.#onRefused?.(error)
  }
}
