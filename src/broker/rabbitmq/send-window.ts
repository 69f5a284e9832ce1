import { type Deferred, deferred } from '../../lib/deferred.ts'
import { MessageError } from '../../errors.ts'
import type { Outgoing } from './relay-headers.ts'

/** One message that is not confirmed yet. */
export interface Pending {
  readonly message: Outgoing
  readonly bytes: number
  readonly deadline: number
  readonly done: Deferred<void>
  /** On how many connections it has been sent. */
  tries: number
  /** Whether it has been sent on the present one. */
  isSent: boolean
}

export interface SendWindowOptions {
  readonly maxMessages: number
  readonly maxBytes: number
  readonly timeoutMs: number
}

/** What the broker has not confirmed, in order, bounded in number, bytes and time. */
export class SendWindow {
  readonly #options: SendWindowOptions
  /** In order of their deadlines: all wait equally long. */
  readonly #pending = new Set<Pending>()
  #bytes = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: SendWindowOptions) {
    this.#options = options
  }

  /** @throws MessageError `too-many-pending` where another message of this size does not fit */
  assertRoom(bytes: number): void {
    const { maxMessages, maxBytes } = this.#options
    if (this.#pending.size >= maxMessages || this.#bytes + bytes > maxBytes) {
      throw new MessageError('too-many-pending', 'too many messages wait for the broker')
    }
  }

  add(message: Outgoing): Pending {
    const deadline = performance.now() + this.#options.timeoutMs
    const pending = { message, bytes: sizeOf(message), deadline, done: deferred(), tries: 0, isSent: false }
    this.#pending.add(pending)
    this.#bytes += pending.bytes
    if (this.#timer === undefined) this.#arm()
    return pending
  }

  has(pending: Pending): boolean {
    return this.#pending.has(pending)
  }

  /** All, oldest first. */
  all(): Pending[] {
    return [...this.#pending]
  }

  oldest(): Pending | undefined {
    return this.#pending.values().next().value
  }

  /** Ends one, once; later calls do nothing. */
  settle(pending: Pending, error?: MessageError): void {
    if (!this.#pending.delete(pending)) return
    this.#bytes -= pending.bytes
    if (error === undefined) pending.done.resolve()
    else pending.done.reject(error)
  }

  /** Rejects all. */
  clear(reason: string): void {
    for (const pending of this.all()) this.settle(pending, new MessageError('broker-unavailable', reason))
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    const oldest = this.oldest()
    if (oldest === undefined) {
      this.#timer = undefined
      return
    }
    const waitMs = Math.max(1, oldest.deadline - performance.now())
    this.#timer = setTimeout(() => this.#expire(), waitMs)
  }

  #expire(): void {
    const now = performance.now()
    for (const pending of this.#pending) {
      if (pending.deadline > now) break
      this.settle(pending, new MessageError('broker-unavailable', 'the broker did not confirm in time'))
    }
    this.#arm()
  }
}

/** Headers are counted by a guess: they are bounded already, and exact sums cost more than they tell. */
function sizeOf(message: Outgoing): number {
  return message.content.length + 500
}
