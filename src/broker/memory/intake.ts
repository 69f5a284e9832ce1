import { setTimeout as delay } from 'node:timers/promises'
import { deferred } from '../../lib/deferred.ts'
import { within } from '../../lib/within.ts'
import type { ConsumeHandler, Consumer } from '../broker.ts'
import type { MemoryQueue, QueueConsumer, QueuedMessage } from './memory-queue.ts'

export interface IntakeOptions {
  readonly queue: MemoryQueue
  readonly prefetch: number
  readonly handler: ConsumeHandler
  /** Least time between two deliveries of a message whose handler rejected. */
  readonly redeliveryMs: number
  /** How long `close` waits for the queue to run empty and for handlers under way. */
  readonly closeTimeoutMs: number
  /** @param left messages that no handler finished: in the queue, or under way when the time was up */
  readonly onClose: (intake: Intake, left: number) => void
}

/** Consumes a queue for the relay itself, as many messages at once as `prefetch` says. */
export class Intake implements QueueConsumer, Consumer {
  readonly #options: IntakeOptions
  readonly #drained = deferred()
  readonly #closed = new AbortController()
  /** Whose handler rejected while the intake closes. They go back to the queue at its end. */
  readonly #failed: QueuedMessage[] = []
  #running = 0
  #hasEnded = false
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

  /** What is in the queue is handed on first: it would be lost with the process. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #handle(message: QueuedMessage): Promise<void> {
    const { queue, handler } = this.#options
    const { content, isRedelivered } = message
    try {
      await handler({ headers: content.headers, body: content.body, isRedelivered })
    } catch {
      await this.#onRejected(message)
    }
    this.#running -= 1
    queue.wake()
    this.#settleDrained()
  }

  /** The handler says why in its own log; here it only means "not done". */
  async #onRejected(message: QueuedMessage): Promise<void> {
    const { queue, redeliveryMs } = this.#options
    if (this.#closed.signal.aborted && !this.#hasEnded) {
      // One try for each while the intake closes: again and again would be a busy loop.
      this.#failed.push(message)
      return
    }
    // Its place stays taken meanwhile, so that a handler that cannot work does not keep the
    // processor busy.
    await delay(redeliveryMs, undefined, { signal: this.#closed.signal }).catch(() => {})
    queue.giveBack([message])
  }

  onEmpty(): void {
    this.#settleDrained()
  }

  #settleDrained(): void {
    const isDrained = this.#running === 0 && this.#options.queue.size === 0
    if (isDrained && this.#closed.signal.aborted) this.#drained.resolve()
  }

  async #end(): Promise<void> {
    const { queue, closeTimeoutMs, onClose } = this.#options
    this.#closed.abort()
    this.#settleDrained()
    // Being late is no failure: what is left is counted.
    await within(this.#drained.promise, closeTimeoutMs, tooLate).catch(() => {})
    this.#hasEnded = true
    queue.removeConsumer(this)
    queue.giveBack(this.#failed)
    onClose(this, queue.size + this.#running)
  }
}

function tooLate(): Error {
  return new Error('the queue did not run empty in time')
}
