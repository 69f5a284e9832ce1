import { setTimeout as delay } from 'node:timers/promises'
import { deferred } from '../../lib/deferred.ts'
import type { ConsumeHandler, Consumer } from '../broker.ts'
import type { MemoryQueue, QueueConsumer, QueuedMessage } from './memory-queue.ts'

export interface IntakeOptions {
  readonly queue: MemoryQueue
  readonly prefetch: number
  readonly handler: ConsumeHandler
  /** Least time between two deliveries of a message whose handler rejected. */
  readonly redeliveryMs: number
  /** How long `close` waits for handlers under way. */
  readonly closeTimeoutMs: number
  readonly onClose: (intake: Intake) => void
}

/** Consumes a queue for the relay itself, as many messages at once as `prefetch` says. */
export class Intake implements QueueConsumer, Consumer {
  readonly #options: IntakeOptions
  readonly #idle = deferred()
  readonly #closed = new AbortController()
  #running = 0
  #closing: Promise<void> | undefined

  constructor(options: IntakeOptions) {
    this.#options = options
    options.queue.addConsumer(this)
  }

  hasCredit(): boolean {
    return this.#running < this.#options.prefetch
  }

  take(message: QueuedMessage): void {
    this.#running += 1
    void this.#handle(message)
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #handle(message: QueuedMessage): Promise<void> {
    const { queue, handler, redeliveryMs } = this.#options
    const { content, isRedelivered } = message
    try {
      await handler({ headers: content.headers, body: content.body, isRedelivered })
    } catch {
      // The handler says why in its own log; here it only means "not done". Its place stays taken
      // meanwhile, so that a handler that cannot work does not keep the processor busy.
      await delay(redeliveryMs, undefined, { signal: this.#closed.signal }).catch(() => {})
      queue.giveBack([message])
    }
    this.#running -= 1
    queue.wake()
    if (this.#running === 0 && this.#closing !== undefined) this.#idle.resolve()
  }

  async #end(): Promise<void> {
    const { queue, closeTimeoutMs, onClose } = this.#options
    queue.removeConsumer(this)
    this.#closed.abort()
    if (this.#running > 0) {
      const timeout = setTimeout(() => {
        this.#idle.resolve()
      }, closeTimeoutMs)
      await this.#idle.promise
      clearTimeout(timeout)
    }
    onClose(this)
  }
}
