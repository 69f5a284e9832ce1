import { ORDERS_BULK_STATUS, type OrdersBulkStatus } from '../../../protocol/payload/operation.ts'
import { MessageError } from '../../errors.ts'
import type { OrderFilter } from '../../store/orders.ts'
import type { Store } from '../../store/store.ts'
import { changeOrders } from '../orders/change-orders.ts'
import { operationKind, type OperationKind } from './operation-kind.ts'

/** Each is four events: what shares their transaction waits for some hundred of them at most. */
const ORDERS_A_CHUNK = 100

/** Gives many orders another status, each with its events and a notification for its owner. */
export function ordersBulkStatus({ store }: { readonly store: Pick<Store, 'orders'> }): OperationKind {
  return operationKind({
    type: 'orders-bulk-status',
    roles: ['admin'],
    hasResult: false,
    params: ORDERS_BULK_STATUS,
    check({ orderIds, where }) {
      if (orderIds !== undefined || where !== undefined) return
      throw new MessageError('invalid-payload', 'one of orderIds and where must say which orders')
    },
    work: (params, user) => {
      const filter = filterOf(params)
      const { status, note } = params
      const change = { status, note, by: user, where: filter }
      return {
        count: () => store.orders.count(filter),
        async next(checkpoint) {
          const after = typeof checkpoint === 'string' ? { after: checkpoint } : {}
          const orderIds = await store.orders.ids(filter, { limit: ORDERS_A_CHUNK, ...after })
          return async (tx) => {
            const { events } = await changeOrders(tx, orderIds, change)
            return {
              events,
              done: orderIds.length,
              checkpoint: orderIds.at(-1) ?? checkpoint,
              isLast: orderIds.length < ORDERS_A_CHUNK,
            }
          }
        },
      }
    },
  })
}

function filterOf({ orderIds, where = {} }: OrdersBulkStatus): OrderFilter {
  const { status, userId } = where
  return {
    ...(orderIds !== undefined && { orderIds }),
    ...(status !== undefined && { status }),
    ...(userId !== undefined && { userId }),
  }
}
