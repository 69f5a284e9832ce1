import type { Notification } from '../../../protocol/payload/notification.ts'
import type { OrderEvent, OrderSend } from '../../../protocol/payload/order.ts'
import type { OrderRow } from '../../store/store.ts'
import type { StreamAppender } from '../../stream/append.ts'
import type { NewEvent } from '../../stream/event-row.ts'
import { changedOrder, STATUS_TEXT } from './order-change.ts'
import { timeOrderedId } from '../../lib/time-ordered-id.ts'

/**
 * Stores an update of an order, with a notification for its owner, and relays both. Resolves when it
 * is durable, with whether the order has gone over to another owner.
 */
export async function storeOrder(appender: StreamAppender, update: OrderSend): Promise<boolean> {
  const nowIso = new Date().toISOString()
  const { result } = await appender.append(async (tx) => {
    const stored = await tx.orders.find(update.orderId)
    const row = changedOrder(stored, update, nowIso)
    if (row === undefined) return { events: [], result: false }
    const note = notificationOf(update, nowIso)
    const isPassedOn = stored !== null && stored.userId !== row.userId
    tx.orders.save(row)
    tx.notifications.insert({ ...note, userId: row.userId, data: note.data, readAt: null, archivedAt: null })
    return { events: [...orderEvents(row, update), notificationEvent(row.userId, note)], result: isPassedOn }
  })
  return result
}

function orderEvents(row: OrderRow, { status }: OrderSend): NewEvent[] {
  const payload: OrderEvent = {
    orderId: row.orderId,
    userId: row.userId,
    status,
    ...(Array.isArray(row.items) && { items: row.items }),
    ...(row.note !== null && { note: row.note }),
    ...(row.version !== null && { version: row.version }),
    updatedAt: row.updatedAt,
  }
  // Orders are for their owner and for admins: their topics travel where no wildcard reaches.
  const topics = [`orders.${row.orderId}`, 'orders']
  return [
    ...topics.map((topic) => ({
      stream: `/topic/${topic}`,
      address: { kind: 'private', topic } as const,
      payload,
    })),
    {
      stream: `/user/${row.userId}/queue/orders`,
      address: { kind: 'user', user: row.userId, destination: '/user/queue/orders' },
      payload,
    },
  ]
}

function notificationOf(update: OrderSend, createdAt: string): Notification & { data: { orderId: string } } {
  return {
    id: timeOrderedId(),
    title: `Order ${update.orderId}`,
    message: `Order ${update.orderId} ${STATUS_TEXT[update.status]}`,
    type: 'ORDER',
    data: { orderId: update.orderId },
    createdAt,
  }
}

function notificationEvent(user: string, payload: Notification): NewEvent {
  return {
    stream: `/user/${user}/queue/notifications`,
    address: { kind: 'user', user, destination: '/user/queue/notifications' },
    payload,
  }
}
