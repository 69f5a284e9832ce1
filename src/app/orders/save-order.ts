import type { Notification } from '../../../protocol/payload/notification.ts'
import type { OrderEvent, OrderStatus } from '../../../protocol/payload/order.ts'
import { timeOrderedId } from '../../lib/time-ordered-id.ts'
import type { OrderRow } from '../../store/orders.ts'
import type { StoreTransaction } from '../../store/store.ts'
import type { NewEvent } from '../../stream/event-row.ts'
import { STATUS_TEXT } from './order-change.ts'

/** An order in its next state. */
export type NextOrder = OrderRow & { readonly status: OrderStatus }

/**
 * Stores the next state of an order, whoever brought it about, with a notification for its owner. Answers the
 * events that tell of both.
 */
export function saveOrder(tx: StoreTransaction, row: NextOrder, nowIso: string): NewEvent[] {
  const note = notificationOf(row, nowIso)
  tx.orders.save(row)
  tx.notifications.insert({ ...note, userId: row.userId, data: note.data, readAt: null, archivedAt: null })
  return [...orderEvents(row), notificationEvent(row.userId, note)]
}

function orderEvents(row: NextOrder): NewEvent[] {
  const payload: OrderEvent = {
    orderId: row.orderId,
    userId: row.userId,
    status: row.status,
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

function notificationOf(row: NextOrder, createdAt: string): Notification & { data: { orderId: string } } {
  const { orderId, status } = row
  return {
    id: timeOrderedId(),
    title: `Order ${orderId}`,
    message: `Order ${orderId} ${STATUS_TEXT[status]}`,
    type: 'ORDER',
    data: { orderId },
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
