import type { Version } from '../../protocol/version.ts'
import { EncodedBatch } from './encoded-batch.ts'
import type { FanoutMessage } from './fanout-message.ts'
import type { Subscriber } from './subscriber.ts'

/** One place in a group. The same `Subscriber` may hold several. */
export interface Member {
  readonly subscriber: Subscriber
}

/** What all members of a group have in common, so that they can be sent the same bytes. */
export interface GroupTraits {
  readonly subscriptionId: string
  readonly version: Version
  /** What `destination` shows; undefined where each message shows its own. */
  readonly shownAs: string | undefined
}

/** Equal for equal traits, and for no others, whatever characters the strings hold. */
export function groupKey({ version, shownAs, subscriptionId }: GroupTraits): string {
  return `${version} ${shownAs === undefined ? '' : shownAs.length} ${shownAs ?? ''}${subscriptionId}`
}

/** Subscribers of one target that get the same bytes. */
export class Group {
  readonly key: string
  readonly members = new Set<Member>()
  /** Index of the first pending message of the entry that this group has not been sent. */
  next: number
  readonly #traits: GroupTraits

  constructor(traits: GroupTraits, next: number) {
    this.key = groupKey(traits)
    this.#traits = traits
    this.next = next
  }

  /**
   * Sends what is pending, as one batch. A subscriber that throws loses this batch; others do not.
   * @returns how many messages were handed to how many members, multiplied
   */
  flush(pending: readonly FanoutMessage[], onFault: (error: unknown) => void): number {
    const { subscriptionId, version, shownAs } = this.#traits
    const frames = pending.slice(this.next).map((each) => each.encodeFor(subscriptionId, version, shownAs))
    this.next = pending.length
    if (frames.length === 0) return 0
    const batch = new EncodedBatch(frames)
    let delivered = 0
    for (const { subscriber } of this.members) {
      try {
        subscriber.deliver(batch)
        delivered += frames.length
      } catch (error) {
        onFault(error)
      }
    }
    return delivered
  }
}
