import { setTimeout as delay } from 'node:timers/promises'
import { Compile } from 'typebox/compile'
import type { Static } from 'typebox'
import type { HeaderList } from '../../../protocol/frame.ts'
import { ORDER_SEND } from '../../../protocol/payload/order.ts'
import { ownerOf } from '../../auth/fact-change.ts'
import type { Broker, ConsumedMessage, Consumer } from '../../broker/broker.ts'
import { MessageError, type FaultCode } from '../../errors.ts'
import { backoffMs } from '../../lib/backoff.ts'
import type { Store } from '../../store/store.ts'
import type { StreamAppender } from '../../stream/append.ts'
import type { Log } from '../../telemetry/log.ts'
import { announceFact } from '../announce-fact.ts'
import { parsePayload } from '../payload.ts'
import { storeDeadLetter } from './store-dead-letter.ts'
import { storeOrder } from './store-order.ts'

/** Where order services publish (CONTRACT, section 5). */
export const ORDER_QUEUE = 'user'
export const DEAD_LETTER_QUEUE = 'user.dead-letter'

/** A message that failed so often for its own sake is a dead letter. */
const MAX_ATTEMPTS = 5
const PREFETCH = 200
const RETRY_BASE_MS = 100
const RETRY_MAX_MS = 2000

export interface OrderIntakeParts {
  readonly broker: Broker
  readonly store: Store
  readonly appender: StreamAppender
  readonly log: Log
}

const validator = Compile(ORDER_SEND)

/**
 * Takes orders from the queue that order services publish to. A message is acknowledged when its
 * effect is stored: as an order, or as a dead letter with the reason. While the database is away the
 * intake stands still, since that is no fault of any message.
 */
export class OrderIntake {
  readonly #parts: OrderIntakeParts
  readonly #closing = new AbortController()
  #consumer: Promise<Consumer> | undefined

  constructor(parts: OrderIntakeParts) {
    this.#parts = parts
  }

  /** Resolves when the queue is consumed, or will be once the broker is there. */
  async start(): Promise<void> {
    this.#consumer = this.#parts.broker.consume(ORDER_QUEUE, { prefetch: PREFETCH }, (message) =>
      this.#take(message),
    )
    await this.#consumer
  }

  /** Lets what is under way finish; what waits for the database goes back to the queue. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort()
    // Where the queue never was consumed there is nothing to end; the log has said so.
    const consumer = await this.#consumer?.catch(() => undefined)
    await consumer?.close()
  }

  async #take(message: ConsumedMessage): Promise<void> {
    for (let failures = 0, attempt = 0; ; attempt++) {
      try {
        await this.#store(message)
        return
      } catch (error) {
        const reason = reasonOf(error)
        if (
          !isFault(error, 'store-unavailable', 'too-many-pending') &&
          (reason.isFinal || ++failures >= MAX_ATTEMPTS)
        ) {
          await this.#bury(message, reason.text)
          return
        }
        this.#parts.log.warn({ event: 'order-retry', attempt, err: error }, 'order could not be stored yet')
      }
      await this.#pause(attempt)
    }
  }

  async #store({ headers, body }: ConsumedMessage): Promise<void> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsePayload has checked it
    const update = parsePayload(validator, ORDER_SEND, body) as Static<typeof ORDER_SEND>
    if (await storeOrder(this.#parts.appender, { update, headers }))
      await announceFact(this.#parts, ownerOf(update.orderId))
  }

  /** A stored row with the reason, then a copy in the dead-letter queue for whoever watches that. */
  async #bury(message: ConsumedMessage, reason: string): Promise<void> {
    const { store, log } = this.#parts
    const { headers, body } = message
    const id = await storeDeadLetter(store, message, { queue: ORDER_QUEUE, reason })
    log.warn({ event: 'dead-letter', id, queue: ORDER_QUEUE, reason }, 'order message became a dead letter')
    // Of a repeated name the first counts, so that no sender can forge these.
    const ours = ['x-dead-letter-id', id, 'x-dead-letter-reason', reason]
    await this.#copy([[...ours, ...headers], ours], body)
  }

  /**
   * Publishes the copy, with the next headers where the broker cannot bear the first. The row is stored:
   * giving the message back for the copy's sake would store it again and again.
   */
  async #copy([headers = [], ...others]: readonly HeaderList[], body: Uint8Array): Promise<void> {
    const { broker, log } = this.#parts
    const address = { kind: 'queue', queue: DEAD_LETTER_QUEUE } as const
    for (let attempt = 0; ; attempt++) {
      try {
        await broker.publish({ address, headers, body, persistent: true }, { patient: true })
        return
      } catch (error) {
        if (isFault(error, 'invalid-header') && others.length > 0) {
          await this.#copy(others, body)
          return
        }
        log.warn({ event: 'dead-letter-not-copied', attempt, err: error }, 'dead letter could not be copied')
        if (!isFault(error, 'broker-unavailable', 'too-many-pending')) return
      }
      await this.#pause(attempt)
    }
  }

  /** Rejects at once when the intake closes. */
  async #pause(attempt: number): Promise<void> {
    const { signal } = this.#closing
    await delay(backoffMs(attempt, RETRY_BASE_MS, RETRY_MAX_MS), undefined, { signal })
  }
}

function isFault(error: unknown, ...codes: readonly FaultCode[]): boolean {
  return error instanceof MessageError && codes.includes(error.code)
}

/** A body that does not fit its schema will not fit it the next time either. */
function reasonOf(error: unknown): { text: string; isFinal: boolean } {
  if (error instanceof MessageError) return { text: `${error.code}: ${error.message}`, isFinal: true }
  return { text: `internal: ${error instanceof Error ? error.message : String(error)}`, isFinal: false }
}
