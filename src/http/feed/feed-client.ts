import type { RegisteredSession } from '../../user/session-registry.ts'

/** Somebody whose feed this node holds open, on a stream or for a poll. */
export interface FeedClient extends RegisteredSession {
  /** Resolves when its connection is gone and everything it held is given back. Never rejects. */
  readonly closed: Promise<void>
}
