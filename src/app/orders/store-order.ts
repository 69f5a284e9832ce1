import { createHash } from 'node:crypto'
import { header, type HeaderList } from '../../../protocol/frame.ts'
import type { OrderSend } from '../../../protocol/payload/order.ts'
import type { StreamAppender } from '../../stream/append.ts'
import type { RepeatableRequest } from '../../stream/request-key.ts'
import { changedOrder } from './order-change.ts'
import { saveOrder } from './save-order.ts'

/** What RabbitMQ's STOMP plugin calls the property `message-id`, by which a service tells its messages apart. */
const MESSAGE_ID = 'amqp-message-id'

/** An update as it came. */
export interface OrderUpdate {
  readonly update: OrderSend
  readonly headers: HeaderList
}

/**
 * Stores an update of an order, with a notification for its owner, and relays both. What changes nothing, a
 * repetition for one, is let pass. Resolves when it is durable, with whether the order has gone over to another
 * owner.
 */
export async function storeOrder(
  appender: StreamAppender,
  { update, headers }: OrderUpdate,
): Promise<boolean> {
  const nowIso = new Date().toISOString()
  const { result } = await appender.append(
    async (tx) => {
      const stored = await tx.orders.find(update.orderId)
      const row = changedOrder(stored, update, nowIso)
      if (row === undefined) return { events: [], result: false }
      const isPassedOn = stored !== null && stored.userId !== row.userId
      return { events: await saveOrder(tx, row, nowIso), result: isPassedOn }
    },
    { request: repetitionOf(update, headers) },
  )
  return result
}

/**
 * By what a repetition is known. Version and time say by themselves where an update belongs; one with neither says
 * the same when it is delivered again as it would if the order had come back to that state. So within 24 hours an
 * equal one is a repetition, unless the service gave it another `message-id`.
 */
function repetitionOf(update: OrderSend, headers: HeaderList): RepeatableRequest | undefined {
  const { orderId, userId, status, items, note, version, updatedAt } = update
  if (version !== undefined || updatedAt !== undefined) return undefined
  const said = JSON.stringify([orderId, userId, status, items, note, header(headers, MESSAGE_ID)])
  // No user has an empty name.
  return { user: '', scope: 'SEND /queue/user', clientId: createHash('sha256').update(said).digest('hex') }
}
