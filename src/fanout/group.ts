import { EncodedBatch, type BatchTraits } from './encoded-batch.ts'
import type { FanoutMessage } from './fanout-message.ts'
import type { Subscriber } from './subscriber.ts'

/** One place in a group. The same `Subscriber` may hold several. */
export interface Member {
  readonly subscriber: Subscriber
}

/** Equal for equal traits, and for no others, whatever characters the strings hold. */
export function groupKey({ version, shownAs, subscriptionId }: BatchTraits): string {
  return `${version} ${shownAs === undefined ? '' : shownAs.length} ${shownAs ?? ''}${subscriptionId}`
}

/** Subscribers of one target that get the same bytes. */
export class Group {
  readonly key: string
  readonly members = new Set<Member>()
  /** Index of the first pending message of the entry that this group has not been sent. */
  next: number
  readonly #traits: BatchTraits

  constructor(traits: BatchTraits, next: number) {
    this.key = groupKey(traits)
    this.#traits = traits
    this.next = next
  }

  /**
   * Sends what is pending, as one batch. A subscriber that throws loses this batch; others do not.
   * @returns how many messages were handed to how many members, multiplied
   */
  flush(pending: readonly FanoutMessage[], onFault: (error: unknown) => void): number {
    const messages = pending.slice(this.next)
    this.next = pending.length
    if (messages.length === 0) return 0
    const batch = new EncodedBatch(messages, this.#traits)
    let delivered = 0
    for (const { subscriber } of this.members) {
      try {
        subscriber.deliver(batch)
        delivered += messages.length
      } catch (error) {
        onFault(error)
      }
    }
    return delivered
  }
}
