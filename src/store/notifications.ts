/**
 * The part of the store port that is about notifications; what `store.ts` says of durability, values and
 * failure holds here too. Rows stay until their user deletes them.
 */
export interface NotificationRow {
  /** A UUID version 7: sorts by time. */
  readonly id: string
  readonly userId: string
  readonly title: string
  readonly message: string
  readonly type: string
  /** Any JSON value. */
  readonly data: unknown
  readonly createdAt: string
  readonly readAt: string | null
  readonly archivedAt: string | null
}

/** What is missing does not matter. */
export interface NotificationFilter {
  readonly isRead?: boolean
  readonly isArchived?: boolean
  readonly type?: string
}

export interface NotificationPage extends NotificationFilter {
  /** Only rows whose id sorts below this one. */
  readonly before?: string
  readonly limit: number
}

export interface NotificationReader {
  /** Newest first. */
  list(userId: string, page: NotificationPage): Promise<readonly NotificationRow[]>
  count(userId: string, filter: NotificationFilter): Promise<number>
  /** The types that a user has muted; none where the user never said. */
  muted(userId: string): Promise<readonly string[]>
}

/** What a user does with a notification: a time, or null to take it back. What is missing stays. */
export interface NotificationChange {
  readonly readAt?: string | null
  readonly archivedAt?: string | null
}

/**
 * The writing side, within a transaction. Everything but `find` and `muted` is staged. Where other things
 * than inserts are, all of it happens after the streams of `appendEvents` were locked, in the order of calls:
 * so of several nodes that change what is one user's, and tell it in one stream of that user, the last one to
 * change is the last one in the stream, and whoever applies the stream in its order arrives at the rows.
 */
export interface NotificationWriter {
  insert(row: NotificationRow): void
  /** As this transaction sees it, own changes included; null where it is somebody else's. Locks nothing. */
  find(userId: string, id: string): Promise<NotificationRow | null>
  /** Nothing happens where there is no such row of that user; likewise below. */
  change(userId: string, id: string, change: NotificationChange): void
  remove(userId: string, id: string): void
  /** Those that are read already keep their time. */
  readAll(userId: string, readAt: string): void
  removeAll(userId: string): void
  /** The muted types of each of the users, as this transaction sees them; each user is asked for once. */
  muted(users: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>
  mute(userId: string, types: readonly string[]): void
}
