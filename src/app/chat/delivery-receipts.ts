import { setTimeout as delay } from 'node:timers/promises'
import { backoffMs } from '../../lib/backoff.ts'
import type { Teardown } from '../../lib/teardown.ts'
import type { StreamAppender } from '../../stream/append.ts'
import type { Log } from '../../telemetry/log.ts'
import { mirrorCounts, mirrorGauge, type Metrics } from '../../telemetry/metrics.ts'
import { receiptEvent } from './send-message.ts'

/** A message as a session was handed it. */
export interface HandedMessage {
  readonly delivery: { readonly body: Uint8Array; readonly eventId?: string }
}

export interface DeliveryReceiptsOptions {
  readonly appender: Pick<StreamAppender, 'append'>
  readonly log: Pick<Log, 'warn'>
  /** For how long deliveries are gathered, milliseconds. Default 50. */
  readonly gatherMs?: number
  /** Deliveries that wait to be stored; what is beyond is told when the message is read. Default 10,000. */
  readonly maxWaiting?: number
  /** Before what could not be stored is tried again, milliseconds. Default 200. */
  readonly retryMs?: number
}

/** Deliveries of one write. */
const BATCH = 500
const MAX_RETRY_MS = 5000

const decoder = new TextDecoder()

/**
 * Tells senders of private messages that a session of the receiver was handed them, on whichever node. Many
 * deliveries are one write, and each message is told of once: what was stored of it decides.
 */
export class DeliveryReceipts {
  readonly counters = { noted: 0, told: 0, dropped: 0, failed: 0 }
  readonly #options: DeliveryReceiptsOptions
  /** When each message was handed over, by its id. */
  readonly #waiting = new Map<string, string>()
  /** Others of the receiver's sessions on this node are handed the same object. */
  readonly #known = new WeakSet<HandedMessage>()
  readonly #closing = new AbortController()
  #running: Promise<void> | undefined

  constructor(options: DeliveryReceiptsOptions) {
    this.#options = options
  }

  /** Deliveries that are not stored yet. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Takes what was handed to a session of `user` at `/user/queue/messages`. Never throws. */
  handed(user: string, messages: readonly HandedMessage[]): void {
    const { maxWaiting = 10_000 } = this.#options
    for (const message of messages) {
      if (this.#known.has(message)) continue
      this.#known.add(message)
      const id = idFor(user, message)
      if (id === undefined || this.#waiting.has(id)) continue
      if (this.#waiting.size >= maxWaiting) {
        this.counters.dropped += 1
        continue
      }
      this.counters.noted += 1
      this.#waiting.set(id, new Date().toISOString())
    }
    if (this.#waiting.size > 0) this.#running ??= this.#run()
  }

  /** Stores what waits, or gives it up where that fails. Idempotent; never rejects. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { gatherMs = 50, retryMs = 200, log } = this.#options
    await this.#pause(gatherMs)
    for (let failures = 0; this.#waiting.size > 0;) {
      const batch = [...this.#waiting].slice(0, BATCH)
      try {
        await this.#tell(batch)
        failures = 0
        for (const [id] of batch) this.#waiting.delete(id)
        if (this.#waiting.size > 0) await this.#pause(gatherMs)
      } catch (error) {
        this.counters.failed += 1
        log.warn({ event: 'receipts-untold', err: error }, 'senders cannot be told of deliveries now')
        if (this.#closing.signal.aborted) break
        await this.#pause(backoffMs(failures++, retryMs, MAX_RETRY_MS))
      }
    }
    this.#running = undefined
  }

  async #tell(batch: readonly (readonly [id: string, at: string])[]): Promise<void> {
    const atOf = new Map(batch)
    const { result } = await this.#options.appender.append(async (tx) => {
      const rows = await tx.deliveries.find(batch.map(([id]) => id))
      const told = rows.filter(({ state }) => state === 'STORED')
      for (const row of told) tx.deliveries.save({ ...row, state: 'DELIVERED' })
      const events = told.map(({ id, sender }) =>
        receiptEvent(sender, { messageId: id, status: 'DELIVERED', at: atOf.get(id) ?? '' }),
      )
      return { events, result: told.length }
    })
    this.counters.told += result
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#closing.signal }).catch(() => undefined)
  }
}

/** Receipts that are counted by `metrics`, and end with `teardown`. */
export function createDeliveryReceipts({
  metrics,
  teardown,
  ...options
}: DeliveryReceiptsOptions & { readonly metrics: Metrics; readonly teardown: Teardown }): DeliveryReceipts {
  const receipts = new DeliveryReceipts(options)
  teardown.add(() => receipts.close())
  const help = 'private messages that were handed to sessions, which is not stored yet'
  mirrorGauge(metrics, 'deliveries_waiting', help, () => receipts.waiting)
  mirrorCounts(metrics, 'delivery', 'what became of deliveries of private messages', receipts.counters)
  return receipts
}

/**
 * Its id, where it is a stored message for the user. Services may send to the queue too, but nothing with an
 * event id.
 */
function idFor(user: string, { delivery: { body, eventId } }: HandedMessage): string | undefined {
  if (eventId === undefined) return undefined
  const message: unknown = JSON.parse(decoder.decode(body))
  const isObject = typeof message === 'object' && message !== null
  if (!isObject || !('id' in message) || !('receiver' in message)) return undefined
  return message.receiver === user && typeof message.id === 'string' ? message.id : undefined
}
