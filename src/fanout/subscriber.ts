import type { Version } from '../../protocol/version.ts'
import type { EncodedBatch } from './encoded-batch.ts'

/** One subscription of one client, as the hub sees it. The hub owns this interface; transports implement it. */
export interface Subscriber {
  /** What `subscription` on each MESSAGE says. */
  readonly subscriptionId: string
  /** Decides how headers are escaped. */
  readonly version: Version
  /**
   * Everything of one turn for this subscription, in order. The batch is shared by all subscribers
   * with the same id, version and destination: read it, never change it. Frames are encoded for those
   * who ask for them; others take the messages. Must not throw.
   */
  deliver(batch: EncodedBatch): void
  /**
   * Asked while old events are replayed: a promise where the client has to read first, and nothing
   * where there is room. Resolves also when the client has left. Never rejects.
   */
  room?(): Promise<void> | undefined
  /** Whether the client has left, so that nobody reads for it. */
  isGone?(): boolean
}
