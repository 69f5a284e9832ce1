/**
 * What stands behind a subscription id: `hub` shares the node's, `broker` is the client's own at the
 * broker, `reply` only ever gets answers to this session, and `answered` had its one answer already.
 */
export type SubscriptionKind = 'hub' | 'broker' | 'reply' | 'answered'

export interface Subscription {
  readonly kind: SubscriptionKind
  readonly destination: string
  /** Ends what only this process knows of; the broker's own are ended by a frame. */
  close?(): void
}

/** A session's subscriptions by the client's ids. */
export class Subscriptions {
  readonly #byId = new Map<string, Subscription>()

  get size(): number {
    return this.#byId.size
  }

  has(id: string): boolean {
    return this.#byId.has(id)
  }

  set(id: string, subscription: Subscription): void {
    this.#byId.set(id, subscription)
  }

  remove(id: string): Subscription | undefined {
    const subscription = this.#byId.get(id)
    this.#byId.delete(id)
    subscription?.close?.()
    return subscription
  }

  idsOf(destination: string): string[] {
    return [...this.#byId].filter(([, held]) => held.destination === destination).map(([id]) => id)
  }

  closeAll(): void {
    for (const id of this.#byId.keys()) this.remove(id)
  }
}
