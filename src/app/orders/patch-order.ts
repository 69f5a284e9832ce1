import type { OrderPatch } from '../../../protocol/payload/order.ts'
import { MessageError } from '../../errors.ts'
import type { OrderRow } from '../../store/orders.ts'
import type { StreamAppender } from '../../stream/append.ts'
import { repeatable } from '../../stream/request-key.ts'
import { changeOrders } from './change-orders.ts'

/**
 * Changes one order in an administrator's name, and relays that. Resolves with the order as it is then, once
 * that is durable; a repetition by `clientId` with what the first one made of it.
 *
 * Rejects with `not-found` where there is no such order.
 */
export async function patchOrder(
  appender: StreamAppender,
  { orderId, by }: { readonly orderId: string; readonly by: string },
  { status, note, clientId }: OrderPatch,
): Promise<OrderRow> {
  const { result } = await appender.append(
    async (tx) => {
      const { orders, events } = await changeOrders(tx, [orderId], { status, note, by })
      const order = orders.get(orderId)
      if (order === undefined) throw new MessageError('not-found', 'there is no such order')
      return { events, result: order }
    },
    { request: repeatable({ user: by, scope: `PATCH /api/v1/orders/${orderId}`, clientId }) },
  )
  return result
}
