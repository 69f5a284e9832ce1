import type { OrderStatus } from '../../../protocol/payload/order.ts'
import type { OrderFilter, OrderRow } from '../../store/orders.ts'
import type { StoreTransaction } from '../../store/store.ts'
import type { NewEvent } from '../../stream/event-row.ts'
import { saveOrder, type NextOrder } from './save-order.ts'

/** What an administrator makes of orders. */
export interface StatusChange {
  readonly status: OrderStatus
  /** The note stays as it is where this is missing. */
  readonly note?: string | undefined
  /** Who changes them. */
  readonly by: string
  /** Those that do not fit, any more, stay as they are. */
  readonly where?: OrderFilter | undefined
}

/** What became of the orders. Each one named is in one of the lists, once. */
export interface ChangedOrders {
  readonly changed: readonly string[]
  /** They say so already, or do not fit. */
  readonly unchanged: readonly string[]
  readonly missing: readonly string[]
  /** The present state of those that are there. */
  readonly orders: ReadonlyMap<string, OrderRow>
  /** To be appended with the transaction. */
  readonly events: readonly NewEvent[]
}

/**
 * Changes the status of orders within a transaction, each with an event and a notification as an update of the
 * order service would be, decided on rows that are locked until it ends. Some hundred at once are meant.
 *
 * A change has the version of what it changed, and the time of the change: of what the order service sends then,
 * updates of higher versions apply, but none that it made before the change by its own time (`order-change.ts`).
 */
export async function changeOrders(
  tx: StoreTransaction,
  orderIds: readonly string[],
  change: StatusChange,
): Promise<ChangedOrders> {
  const nowIso = new Date().toISOString()
  const orders = new Map(await tx.orders.findMany(orderIds))
  // At once for all: asked one by one, each order would cost a question.
  await tx.notifications.muted([...orders.values()].map(({ userId }) => userId))
  const changed: string[] = []
  const unchanged: string[] = []
  const events: NewEvent[] = []
  for (const [orderId, stored] of orders) {
    const next = nextOf(stored, change, nowIso)
    if (next === undefined) {
      unchanged.push(orderId)
      continue
    }
    events.push(...(await saveOrder(tx, next, nowIso)))
    orders.set(orderId, next)
    changed.push(orderId)
  }
  const missing = [...new Set(orderIds)].filter((orderId) => !orders.has(orderId))
  return { changed, unchanged, missing, orders, events }
}

function nextOf(stored: OrderRow, change: StatusChange, nowIso: string): NextOrder | undefined {
  const { status, note = stored.note, by, where = {} } = change
  if (!fits(stored, where) || (stored.status === status && stored.note === note)) return undefined
  // The service's clock may be ahead: what it sent last must not pass for newer than the change.
  const updatedAt = nowIso > stored.updatedAt ? nowIso : stored.updatedAt
  return { ...stored, status, note, updatedAt, changedBy: by }
}

function fits(row: OrderRow, { userId, status, updatedBefore }: OrderFilter): boolean {
  return (
    (userId === undefined || row.userId === userId) &&
    (status === undefined || row.status === status) &&
    (updatedBefore === undefined || row.updatedAt < updatedBefore)
  )
}
