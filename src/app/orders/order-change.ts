import { isDeepStrictEqual } from 'node:util'
import type { OrderSend, OrderStatus } from '../../../protocol/payload/order.ts'
import type { OrderRow } from '../../store/orders.ts'

/**
 * What an update from the order service makes of the stored order, or undefined where it changes
 * nothing: a repetition, or one that a newer one has overtaken. The order's own version decides, then
 * its time; where an update has neither, it is new unless it says what is stored already.
 *
 * What somebody else has changed since keeps the version that it had: an update with a higher one is newer, but not
 * where its time says that it was made before that change.
 *
 * @param nowIso when the update arrived, for services that send no time
 */
export function changedOrder(
  stored: OrderRow | null,
  update: OrderSend,
  nowIso: string,
): (OrderRow & { readonly status: OrderStatus }) | undefined {
  if (stored !== null && isOld(stored, update)) return undefined
  return {
    orderId: update.orderId,
    userId: update.userId,
    status: update.status,
    note: update.note ?? null,
    updatedAt: timeOf(stored, update, nowIso),
    changedBy: null,
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

/** Where the service's clock is ahead, an update without a time must not make older ones with a time new again. */
function timeOf(stored: OrderRow | null, { updatedAt }: OrderSend, nowIso: string): string {
  if (updatedAt !== undefined) return new Date(updatedAt).toISOString()
  return stored !== null && stored.updatedAt > nowIso ? stored.updatedAt : nowIso
}

function isOld(stored: OrderRow, update: OrderSend): boolean {
  const { version, updatedAt } = update
  if (version !== undefined && stored.version !== null) {
    return version <= stored.version || (stored.changedBy !== null && isBefore(stored, updatedAt))
  }
  if (updatedAt !== undefined) return isBefore(stored, updatedAt)
  return (
    stored.status === update.status &&
    stored.userId === update.userId &&
    stored.note === (update.note ?? null) &&
    (update.items === undefined || isDeepStrictEqual(stored.items, update.items))
  )
}

/** Not after the stored state. */
function isBefore(stored: OrderRow, updatedAt: string | undefined): boolean {
  return updatedAt !== undefined && Date.parse(updatedAt) <= Date.parse(stored.updatedAt)
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
