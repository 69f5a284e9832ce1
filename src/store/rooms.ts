/**
 * The part of the store port that is about rooms. A room that nobody made does not exist until the first message
 * makes it a public one. Visibility never changes and no room is ever removed: whoever knows that a room is
 * public may rely on it.
 */

export interface RoomRow {
  readonly name: string
  readonly visibility: 'public' | 'private'
  /** Who made it. */
  readonly owner: string
  readonly createdAt: string
}

/** Only private rooms have members; the owner is one of them. */
export interface RoomMemberRow {
  readonly room: string
  readonly user: string
  readonly role: 'owner' | 'member'
  readonly since: string
}

/** How far somebody has read. */
export interface RoomReadRow {
  readonly room: string
  readonly user: string
  /** Of the last event read, in the stream of the room. */
  readonly offset: number
  /** Id of the last message read. */
  readonly messageId: string
}

export interface RoomMessageRow {
  readonly id: string
  readonly room: string
  readonly sender: string
  readonly content: string
  readonly clientId: string | null
  readonly replyTo: string | null
  readonly createdAt: string
  readonly editedAt: string | null
}

/** A room as one user sees it. */
export interface RoomViewRow {
  readonly room: string
  readonly readOffset: number | null
  /** Messages of others behind the one read last, at most `MAX_UNREAD`. */
  readonly unread: number
  readonly lastMessage: RoomMessageRow | null
}

/** No more are counted: to know that there are many costs as much as to count them. */
export const MAX_UNREAD = 1000

/** Of the messages of a room; with `after` the oldest of them first, otherwise the newest. */
export interface RoomMessagePage {
  /** Only messages whose id sorts below this one. */
  readonly before?: string
  /** Only messages whose id sorts above this one. */
  readonly after?: string
  readonly limit: number
}

export interface RoomReader {
  find(room: string): Promise<RoomRow | null>
  /** A room, and what the user is in it; null where there is no such room. */
  sight(
    room: string,
    user: string,
  ): Promise<{ readonly room: RoomRow; readonly member: RoomMemberRow | null } | null>
  /** By name, with greater names than `after`: those that are public, and those whose member the user is. */
  list(user: string, page: { readonly after?: string; readonly limit: number }): Promise<readonly RoomRow[]>
  /** By name of the member, with greater names than `after`. */
  members(
    room: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<readonly RoomMemberRow[]>
  /** Of each of the rooms, at most 200, in their order. */
  views(user: string, rooms: readonly string[]): Promise<readonly RoomViewRow[]>
  messages(room: string, page: RoomMessagePage): Promise<readonly RoomMessageRow[]>
}

/**
 * The writing side. Unlike inserts of messages, what these write is written at once, so that whatever follows
 * sees it, and is not taken back where an `attempt` rejects: they come last.
 */
export interface RoomWriter {
  /** Locked until the transaction ends. */
  find(room: string): Promise<RoomRow | null>
  /**
   * Makes the room, and whoever owns a private one its first member. Answers false where the name is taken, by
   * messages from before there were rows of rooms too: that room is public.
   */
  create(row: RoomRow): Promise<boolean>
  member(room: string, user: string): Promise<RoomMemberRow | null>
  /** Answers false where the user is a member already. */
  addMember(row: RoomMemberRow): Promise<boolean>
  /** Answers whether the user was one. */
  removeMember(room: string, user: string): Promise<boolean>
  /** Locked until the transaction ends. Not those that this transaction inserted. */
  message(room: string, id: string): Promise<RoomMessageRow | null>
  /** @throws MessageError `invalid-payload` where the text cannot be stored */
  editMessage(change: { readonly id: string; readonly content: string; readonly at: string }): Promise<void>
  removeMessage(id: string): Promise<void>
  /** Answers false, and does nothing, where the user has read as far already. */
  advance(row: RoomReadRow): Promise<boolean>
}
