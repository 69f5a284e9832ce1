import type { Store } from '../store/store.ts'
import type { PolicyFacts } from './policy.ts'

/** What the policy table asks of the store. */
export function policyFacts(store: Pick<Store, 'orders'>): PolicyFacts {
  return {
    async ownsOrder(user, orderId) {
      const order = await store.orders.find(orderId)
      return order?.userId === user
    },
  }
}
