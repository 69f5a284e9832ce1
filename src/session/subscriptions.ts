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

/** Ids that are remembered after a refusal or a cancellation; the oldest is forgotten for a new one. */
export const MAX_LOST = 100

/** A session's subscriptions by the client's ids. */
export class Subscriptions {
  readonly #byId = new Map<string, Subscription>()
  readonly #lost = new Set<string>()

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

  /** Ends it without the client's wish, whose UNSUBSCRIBE may be on its way. */
  cancel(id: string): Subscription | undefined {
    const subscription = this.remove(id)
    if (subscription !== undefined) this.refuse(id)
    return subscription
  }

  /** The client asked for it, may not know yet that it has not got it, and leaves it like any other. */
  refuse(id: string): void {
    this.#lost.delete(id)
    this.#lost.add(id)
    for (const oldest of this.#lost) {
      if (this.#lost.size <= MAX_LOST) break
      this.#lost.delete(oldest)
    }
  }

  /** @returns whether it was refused or cancelled since this was asked last */
  takeLost(id: string): boolean {
    return this.#lost.delete(id)
  }

  idsOf(destination: string): string[] {
    return [...this.#byId].filter(([, held]) => held.destination === destination).map(([id]) => id)
  }

  closeAll(): void {
    for (const id of this.#byId.keys()) this.remove(id)
  }
}
