import { MessageError } from '../../errors.ts'
import type { AckMode } from '../broker.ts'

/** One SUBSCRIBE of the client. */
export interface Subscribed {
  readonly clientId: string
  readonly brokerId: string
  readonly destination: string
  readonly ack: AckMode
  /** Message ids we gave out to what the broker wants acknowledged, oldest first. */
  readonly unacked: Map<string, string>
  isOpen: boolean
}

/** Undoes an acknowledgement that a transaction took back. */
export type Undo = () => void

/**
 * Which messages the client has not acknowledged. To RabbitMQ all subscriptions are
 * `client-individual`: its `client` mode counts over the whole connection and would acknowledge
 * messages of other subscriptions.
 */
export class SessionLedger {
  readonly #owners = new Map<string, Subscribed>()
  #issued = 0

  /** A message id for the client; remembered where the subscription acknowledges. */
  issue(subscription: Subscribed, brokerAckId: string | undefined): string {
    this.#issued += 1
    const id = `m-${this.#issued}`
    if (brokerAckId !== undefined) {
      this.#owners.set(id, subscription)
      subscription.unacked.set(id, brokerAckId)
    }
    return id
  }

  /**
   * Takes out what an ACK of this id speaks of: the one message, or in `client` mode all up to it.
   *
   * @returns the broker's ids, oldest first
   * @throws MessageError `not-found`, `unknown-subscription`
   */
  take(id: string): { readonly brokerIds: readonly string[]; readonly undo: Undo } {
    const owner = this.#owners.get(id)
    if (owner === undefined) throw new MessageError('not-found', 'no such unacknowledged message')
    if (!owner.isOpen) throw new MessageError('unknown-subscription', 'the subscription has ended')
    const taken = [...entriesUpTo(owner, id)]
    for (const [each] of taken) this.#delete(owner, each)
    const undo = (): void => {
      const later = [...owner.unacked]
      owner.unacked.clear()
      for (const [each, brokerId] of [...taken, ...later]) {
        this.#owners.set(each, owner)
        owner.unacked.set(each, brokerId)
      }
    }
    return { brokerIds: taken.map(([, brokerId]) => brokerId), undo }
  }

  /** The subscription has ended; RabbitMQ holds its messages until the session ends. */
  retire(subscription: Subscribed): void {
    subscription.isOpen = false
  }

  clear(): void {
    this.#owners.clear()
  }

  #delete(owner: Subscribed, id: string): void {
    owner.unacked.delete(id)
    this.#owners.delete(id)
  }
}

function* entriesUpTo(owner: Subscribed, id: string): Generator<[string, string]> {
  if (owner.ack !== 'client') {
    yield [id, owner.unacked.get(id) ?? '']
    return
  }
  for (const entry of owner.unacked) {
    yield entry
    if (entry[0] === id) return
  }
}
