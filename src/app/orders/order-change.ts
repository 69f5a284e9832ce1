import { isDeepStrictEqual } from 'node:util'
import type { OrderSend, OrderStatus } from '../../../protocol/payload/order.ts'
import type { OrderRow } from '../../store/store.ts'

/**
 * What an update from the order service makes of the stored order, or undefined where it changes
 * nothing: a repetition, or one that a newer one has overtaken. The order's own version decides, then
 * its time; where an update has neither, it is new unless it says what is stored already.
 *
 * @param nowIso when the update arrived, for services that send no time
 */
export function changedOrder(
  stored: OrderRow | null,
  update: OrderSend,
  nowIso: string,
): OrderRow | undefined {
  if (stored !== null && isOld(stored, update)) return undefined
  return {
    orderId: update.orderId,
    userId: update.userId,
    status: update.status,
    note: update.note ?? null,
    updatedAt: update.updatedAt === undefined ? nowIso : new Date(update.updatedAt).toISOString(),
    ...continued(stored, update, nowIso),
  }
}

/** What goes on from the stored order where the update does not say. */
function continued(
  stored: OrderRow | null,
  update: OrderSend,
  nowIso: string,
): Pick<OrderRow, 'items' | 'version' | 'createdAt'> {
  const { items, version, createdAt } = stored ?? { items: null, version: null, createdAt: nowIso }
  return { items: update.items ?? items, version: update.version ?? version, createdAt }
}

function isOld(stored: OrderRow, update: OrderSend): boolean {
  if (update.version !== undefined && stored.version !== null) return update.version <= stored.version
  if (update.updatedAt !== undefined) return Date.parse(update.updatedAt) <= Date.parse(stored.updatedAt)
  return (
    stored.status === update.status &&
    stored.userId === update.userId &&
    stored.note === (update.note ?? null) &&
    (update.items === undefined || isDeepStrictEqual(stored.items, update.items))
  )
}

/** Sentence for the customer. */
export const STATUS_TEXT: Readonly<Record<OrderStatus, string>> = {
  PLACED: 'has been placed',
  PREPARED: 'has been prepared',
  READY: 'is ready',
  SHIPPED: 'has been shipped',
  DELIVERED: 'has been delivered',
  CANCELLED: 'has been cancelled',
}
