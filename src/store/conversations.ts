/** Private messages: how far each got, and who writes with whom. Part of the store port (`store.ts`). */

/** `DELIVERED`: a session of the receiver was handed it. What is `READ` was delivered. */
export type DeliveryState = 'STORED' | 'DELIVERED' | 'READ'

/** How far a private message got. */
export interface DeliveryRow {
  /** Of the message. */
  readonly id: string
  readonly sender: string
  readonly receiver: string
  readonly state: DeliveryState
}

/** What a transaction does to private messages. */
export interface DeliveryWriter {
  /** Of a message that this transaction inserts. It becomes the last one of the conversation of both. */
  insert(row: DeliveryRow): void
  /**
   * Those of the ids, at most 500, that are of private messages, by id, as this transaction sees them, own saves
   * included; locked until it ends.
   */
  find(ids: readonly string[]): Promise<readonly DeliveryRow[]>
  /** Stores the state of one that was found. */
  save(row: DeliveryRow): void
}

export interface PrivateMessageRow extends DeliveryRow {
  readonly content: string
  readonly clientId: string | null
  readonly createdAt: string
}

/** What one user has with another. */
export interface ConversationRow {
  readonly other: string
  /** Of either. Later ones of this user's conversations have greater ids. */
  readonly last: PrivateMessageRow
  /** How many the user got from the other and has not read. */
  readonly unread: number
}

/** At most one of `before` and `after`. */
export interface MessagePage {
  /** Only messages whose id sorts below this one: the newest of them. */
  readonly before?: string
  /** Only messages whose id sorts above this one: the oldest of them. */
  readonly after?: string
  readonly limit: number
}

export interface ConversationReader {
  /** The one with the newest message first; `before` of a page is the id of the last message of the last one seen. */
  list(
    user: string,
    page: { readonly before?: string; readonly limit: number },
  ): Promise<readonly ConversationRow[]>
  /** Newest first, whatever the page. */
  messages(users: readonly [string, string], page: MessagePage): Promise<readonly PrivateMessageRow[]>
}
