import type { Version } from '../../protocol/version.ts'
import type { EncodedBatch } from './encoded-batch.ts'

/** One subscription of one client, as the hub sees it. The hub owns this interface; sessions implement it. */
export interface Subscriber {
  /** What `subscription` on each MESSAGE says. */
  readonly subscriptionId: string
  /** Decides how headers are escaped. */
  readonly version: Version
  /**
   * Everything of one turn for this subscription, in order. The batch is shared by all subscribers
   * with the same id, version and destination: read it, never change it. Must not throw.
   */
  deliver(batch: EncodedBatch): void
}
