import type { OrderEvent, OrderStatus } from '../../../protocol/payload/order.ts'
import type { OrderRow } from '../../store/orders.ts'
import type { StoreTransaction } from '../../store/store.ts'
import type { NewEvent } from '../../stream/event-row.ts'
import { notify, type Notice } from '../notifications/notify.ts'
import { STATUS_TEXT } from './order-change.ts'

/** An order in its next state. */
export type NextOrder = OrderRow & { readonly status: OrderStatus }

/**
 * Stores the next state of an order, whoever brought it about, with a notification for its owner. Answers the
 * events that tell of both.
 */
export async function saveOrder(tx: StoreTransaction, row: NextOrder, nowIso: string): Promise<NewEvent[]> {
  tx.orders.save(row)
  const { events } = await notify(tx, [noticeOf(row)], nowIso)
  return [...orderEvents(row), ...events]
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

function noticeOf({ userId, orderId, status }: NextOrder): Notice {
  const message = `Order ${orderId} ${STATUS_TEXT[status]}`
  return { userId, title: `Order ${orderId}`, message, type: 'ORDER', data: { orderId } }
}
