import type { Store } from '../store/store.ts'
import type { PolicyFacts } from './policy.ts'
import type { RoomSight } from './room-sight.ts'

/** What the policy table asks of the store. */
export function policyFacts(
  store: Pick<Store, 'orders'>,
  sight: Pick<RoomSight, 'isPublic' | 'see'>,
): PolicyFacts {
  return {
    async ownsOrder(user, orderId) {
      const order = await store.orders.find(orderId)
      return order?.userId === user
    },
    isPublicRoom: (room) => sight.isPublic(room),
    async seesRoom(user, room) {
      const { kind } = await sight.see(user, room)
      return kind !== 'hidden'
    },
  }
}
