/** A message between nodes (`Broker.control`): what its body names has changed in the store. */
export const FACT_CHANGED = 'fact-changed'

/** The name of a fact that a verdict of the policy can rest on: whose order this is. */
export function ownerOf(orderId: string): string {
  return `owner-of-order ${orderId}`
}

/** Likewise: who may see this room. */
export function sightOf(room: string): string {
  return `sight-of-room ${room}`
}
