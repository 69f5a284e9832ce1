import type { HeaderList } from '../../protocol/frame.ts'
import type { NotificationReader, NotificationWriter } from './notifications.ts'
import type { DeadLetterRepository, DeadLetterRow, OrderReader, OrderWriter } from './orders.ts'
import type { ConversationReader, DeliveryWriter } from './conversations.ts'
import type { RoomReader, RoomWriter } from './rooms.ts'
import type { OperationRepository, OperationWriter } from './operations.ts'
import type { PeopleRepository } from './people.ts'
import type { TotalsReader } from './totals.ts'

/**
 * The store port: everything of the relay that survives `kill -9`. Adapters live in `kysely/`, one
 * dialect each. One contract suite, `test/store/contract.ts`, runs over every dialect; every sentence
 * below is in it.
 *
 * Durability. A promise of a writing method resolves after the database has committed and synced.
 *
 * Values. Times are ISO 8601 in UTC with milliseconds (`2030-01-31T09:30:00.000Z`): they sort as
 * text and go into payloads as they are. JSON fields are plain values, not text. Strings may hold any
 * Unicode text except U+0000 and lone surrogates, which databases disagree about: a string that
 * does is refused by the call that brings it, with `MessageError('invalid-payload')`.
 *
 * Failure. Methods reject with `MessageError('store-unavailable')`, cause kept, when the database
 * does not answer or refuses, and with `MessageError('conflict')` only where the method says so.
 * After `close` every method rejects with `store-unavailable`. Where the connection breaks while a
 * commit is under way, the call rejects with it too, and nobody knows whether the work is stored: the
 * repetition of a request that is remembered (`requests`) settles it. Every call settles within a
 * bound, whatever the database does.
 *
 * Nothing here promises that a call runs at once or in the caller's turn.
 */
export interface Store {
  /** One per database, made once; the first half of every event id. `[A-Za-z0-9_-]`, short. */
  readonly epoch: string
  readonly accounts: AccountRepository
  readonly logins: LoginRepository
  readonly audit: AuditRepository
  readonly settings: SettingRepository
  readonly messages: MessageReader
  readonly conversations: ConversationReader
  readonly roomHistory: RoomHistory
  readonly people: PeopleRepository
  readonly totals: TotalsReader
  readonly broadcasts: BroadcastReader
  readonly notifications: NotificationReader
  readonly orders: OrderReader
  readonly deadLetters: DeadLetterRepository
  readonly log: StreamLog
  readonly outbox: OutboxRepository
  readonly nodes: NodeRepository
  readonly presence: PresenceRepository
  readonly requests: RequestRepository
  readonly rooms: RoomReader
  readonly operations: OperationRepository

  /**
   * Asks the database for its epoch, which is another one once another database was put in its place;
   * `epoch` says the answer from then on.
   */
  refreshEpoch(): Promise<string>

  /**
   * Runs `work` in one transaction: all of it is committed when the promise resolves, and none when
   * it rejects, with `work`'s own error or `store-unavailable`. Transactions of one node run one
   * after the other, in the order of calls; beyond a bound of waiting ones the call rejects with
   * `too-many-pending`. `work` must not wait for another `transact`: it would wait for itself. Reads
   * of the repositories above are fine, and see what was committed before. Stored events come from
   * `StreamAppender`, which adds group commit and relaying; other work may call this directly.
   *
   * `work` is called again, with a new transaction, where the database gave the first one up for
   * another node's sake: a deadlock, or a request that the other one remembered first. So it must
   * have no effect but on `tx`. After several such attempts the call rejects with `store-unavailable`.
   * Once the database refused anything, every method of `tx` rejects, `attempt` or not.
   */
  transact<R>(work: (tx: StoreTransaction) => Promise<R>): Promise<R>

  /** Resolves when the database answers. */
  ping(): Promise<void>

  /** Waits for the transaction under way, then ends. Idempotent. */
  close(): Promise<void>
}

/**
 * The writing side. Inserts are staged: they are checked at once, written together, many rows a
 * statement, when the transaction ends, and in the order of calls within a table. A transaction
 * object is dead once its transaction has ended.
 */
export interface StoreTransaction {
  readonly messages: { insert(row: MessageRow): void }
  readonly deliveries: DeliveryWriter
  readonly broadcasts: { insert(row: BroadcastRow): void }
  readonly notifications: NotificationWriter
  readonly deadLetters: { insert(row: DeadLetterRow): void }
  readonly requests: {
    /**
     * What is remembered of these keys, in one question, own inserts included; keys that are not
     * remembered are not in the answer.
     */
    find(keys: readonly string[]): Promise<ReadonlyMap<string, unknown>>
    /**
     * Remembers an answer. Where another node remembered the key first, the transaction runs again.
     * @throws MessageError `internal` where this transaction has remembered the key already
     */
    insert(row: RequestRow): void
  }
  readonly orders: OrderWriter
  readonly rooms: RoomWriter
  readonly operations: OperationWriter

  /**
   * Runs a part of the transaction. When `part` rejects, what it staged is dropped, the rejection is
   * passed on, and the transaction is as before and may go on. Parts do not overlap, and one part
   * does not contain another.
   */
  attempt<R>(part: () => Promise<R>): Promise<R>

  /**
   * Gives each event the next offset of its stream (1, 2, 3 …, gap-free, in the order of the array)
   * and stores it together with its outbox row. Locks the streams in sorted order, until the
   * transaction ends: so call it once, last. The answer is in the order of the array.
   */
  appendEvents(events: readonly NewEventRow[]): Promise<readonly AppendedEvent[]>
}

export interface AccountRow {
  readonly name: string
  /** Algorithm, parameters, salt and hash in one string (`auth/passwords.ts`); empty: the account is disabled. */
  readonly passwordHash: string
  readonly roles: readonly string[]
  readonly createdAt: string
}

export interface AccountRepository {
  find(name: string): Promise<AccountRow | null>
  /** Rejects with `conflict` when the name is taken. Names differ by case. */
  create(row: AccountRow): Promise<void>
  /** Answers whether there is such an account. */
  setPasswordHash(name: string, passwordHash: string): Promise<boolean>
  /** By name, of those of the names, at most 500, that exist. */
  passwordHashes(names: readonly string[]): Promise<ReadonlyMap<string, string>>
}

/** Somebody who is logged in with a refresh token; the token itself is not stored. */
export interface LoginRow {
  /** Random, and named by every token of the login. */
  readonly id: string
  readonly user: string
  /** How often its refresh token was exchanged: the token of this turn is good, those before are used up. */
  readonly turn: number
  readonly createdAt: string
  readonly expiresAt: string
}

/** Ended logins are removed. What was written is seen by whoever asks next, on any node. */
export interface LoginRepository {
  create(row: LoginRow): Promise<void>
  find(id: string): Promise<LoginRow | null>
  /** The latest first. */
  ofUser(user: string): Promise<readonly LoginRow[]>
  /**
   * Begins the next turn, from `turn` on, and answers whether it did: not where the login is gone, or in another
   * turn. Of several that ask at once, on any node, one does.
   */
  exchange(login: Pick<LoginRow, 'id' | 'turn' | 'expiresAt'>): Promise<boolean>
  /** Idempotent. */
  remove(ids: readonly string[]): Promise<void>
  /** Those of the ids, at most 500, whose login lasts. */
  living(ids: readonly string[]): Promise<ReadonlySet<string>>
  /** Removes logins that are over, at most `limit`, and answers how many. */
  trim(nowIso: string, limit: number): Promise<number>
}

/** Something that happened, for administrators to read. Texts are empty where there is nothing to say. */
export interface AuditRow {
  /** Later ones are greater, among those of one node. */
  readonly id: string
  readonly at: string
  readonly kind: string
  readonly user: string
  readonly node: string
  readonly address: string
  readonly about: string
  /** How many of this kind were left out before it. */
  readonly omitted: number
}

export interface AuditRepository {
  /** All or none. */
  insert(rows: readonly AuditRow[]): Promise<void>
  /** Newest first. */
  list(filter: { readonly kind?: string; readonly user?: string }, page: Page): Promise<readonly AuditRow[]>
  /**
   * Removes rows of a kind from before a time, and those that are more than `keep`, the oldest first; at most
   * `limit`, and answers how many.
   */
  trim(
    what: { readonly kind: string; readonly before: string; readonly keep: number },
    limit: number,
  ): Promise<number>
}

export interface SettingRepository {
  find(key: string): Promise<string | null>
  /** The stored value; the first caller's `make()` where there was none, whoever else asks meanwhile. */
  getOrCreate(key: string, make: () => string): Promise<string>
}

export interface MessageRow {
  /** A UUID version 7: sorts by time. */
  readonly id: string
  /** null in the public conversation and in private messages, which have a `receiver`. */
  readonly room: string | null
  readonly sender: string
  readonly receiver: string | null
  readonly content: string
  readonly clientId: string | null
  readonly replyTo: string | null
  readonly status: string
  readonly createdAt: string
}

/** `public` is `/app/messages` without receiver. */
export type Conversation =
  | { readonly kind: 'public' }
  | { readonly kind: 'room'; readonly room: string }
  | { readonly kind: 'private'; readonly users: readonly [string, string] }

export interface Page {
  /** Only rows whose id sorts below this one. */
  readonly before?: string
  readonly limit: number
}

export interface MessageReader {
  find(id: string): Promise<MessageRow | null>
  /** Newest first. */
  list(conversation: Conversation, page: Page): Promise<readonly MessageRow[]>
}

/** All that was written in a room, from its beginning. */
export interface RoomHistory {
  count(room: string): Promise<number>
  /** Oldest first, with greater ids than `after`. */
  read(
    room: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<readonly MessageRow[]>
}

export interface BroadcastRow {
  readonly id: string
  readonly title: string
  readonly message: string
  readonly type: string
  readonly createdAt: string
}

export interface BroadcastReader {
  find(id: string): Promise<BroadcastRow | null>
  /** Newest first. */
  list(page: Page): Promise<readonly BroadcastRow[]>
}

export interface NewEventRow {
  /** The destination that names the stream: `/topic/messages`, `/user/bob/queue/orders`. */
  readonly stream: string
  /** Where it is to be relayed. The store does not look inside. */
  readonly address: unknown
  /** For subscribers. */
  readonly headers: HeaderList
  /** Text, as stored events are JSON. */
  readonly body: string
  readonly createdAt: string
  /** From then on it may be trimmed. */
  readonly expiresAt: string
}

export interface AppendedEvent {
  /** Grows in commit order among the rows of one node; has holes. */
  readonly seq: number
  readonly stream: string
  readonly offset: number
}

export interface StoredEvent {
  readonly offset: number
  readonly headers: HeaderList
  readonly body: string
  readonly createdAt: string
}

export interface StreamLog {
  /** The last offset given, 0 where nothing was stored. Trimming does not lower it. */
  head(stream: string): Promise<number>
  /** The heads of many streams in one question; each stream asked for is in the answer. */
  heads(streams: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** Events with greater offsets, ascending, without gaps, beginning with the first one kept. */
  read(stream: string, afterOffset: number, limit: number): Promise<readonly StoredEvent[]>
  /**
   * Removes about `limit` events that have expired, oldest first, and answers how many. Of a stream it
   * removes a beginning, never a middle, and nothing that still waits in an outbox.
   */
  trim(nowIso: string, limit: number): Promise<number>
}

export interface OutboxRow extends AppendedEvent {
  readonly address: unknown
  readonly headers: HeaderList
  readonly body: string
}

/** What this node stored and the broker has not confirmed, and what dead nodes left to it. */
export interface OutboxRepository {
  /** Rows with greater `seq`, ascending. */
  pending(afterSeq: number, limit: number): Promise<readonly OutboxRow[]>
  /** The broker has them. Rows already gone are no fault. */
  remove(seqs: readonly number[]): Promise<void>
  /**
   * Makes rows of nodes without a living lease this node's own and answers them, ascending by `seq`, at
   * most `limit`. Where two nodes claim at once, each row goes to one of them.
   */
  claim(limit: number): Promise<readonly OutboxRow[]>
  /** How long the oldest row of all nodes has waited, in milliseconds by its event's `createdAt`; 0 where there is none. */
  ageMs(nowMs: number): Promise<number>
}

/** Who is alive. Times are the database's own, so that clocks of nodes may differ. */
export interface NodeRepository {
  /**
   * Takes the name or keeps it, for `ttlMs` from now. Answers false, and changes nothing, where the
   * living lease of another `boot` has it.
   */
  renew(lease: { readonly nodeId: string; readonly boot: string; readonly ttlMs: number }): Promise<boolean>
  /** Gives the name back, if this `boot` has it. */
  release(lease: { readonly nodeId: string; readonly boot: string }): Promise<void>
  /** Names with a living lease, sorted. */
  living(): Promise<readonly string[]>
}

/** What a request with a `clientId` was answered, so that its repetition is answered alike. */
export interface RequestRow {
  /** 64 hexadecimal digits: a hash of who asked, for what, and the `clientId`. */
  readonly key: string
  /** Any JSON value. */
  readonly answer: unknown
  /** From then on it may be forgotten. */
  readonly expiresAt: string
}

export interface RequestRepository {
  /** Forgets about `limit` expired ones, and answers how many. */
  trim(nowIso: string, limit: number): Promise<number>
}

/**
 * Who is connected, and where, over all nodes. Each process owns its rows, and keeps them by renewing one;
 * rows of an owner that has ended are removed by whoever buries it. Times are the database's own. The
 * changes of all nodes concerning one user take effect one after the other, so that of all who bring a
 * user somewhere, or take one away, one is told that it was the first, or the last.
 */
export interface PresenceRepository {
  /** Begins an owner, which nobody has heard of. */
  register(owner: NewOwner): Promise<void>
  /** Keeps an owner for `ttlMs` from now. Answers false, and changes nothing, where it was given up. */
  renew(owner: string, renewal: { readonly report: NodeReport; readonly ttlMs: number }): Promise<boolean>
  /** Ends an owner: its sessions are gone at once, where its users were they are for `graceMs` more. */
  retire(owner: string, graceMs: number): Promise<void>
  /** All of it or nothing. Answers null, and changes nothing, where the owner was given up. */
  change(owner: string, change: PresenceChange): Promise<PresenceTurns | null>
  /**
   * Gives up owners that have not renewed in time, and removes the sessions of one of them and about
   * `limit` of its presences. Answers who is gone by it, or null where there is nothing to remove, or
   * others are in the way, so that it is tried later. Where several nodes bury at once, each row is removed once.
   */
  bury(limit: number): Promise<Burial | null>
  /** Sessions of owners that are kept, in a fixed order; `before` of a page is the id of the last one seen. */
  sessions(filter: SessionFilter, page: Page): Promise<readonly SessionRow[]>
  findSession(id: string): Promise<SessionRow | null>
  /** Users there, by name, with greater names than `after`. */
  present(room: string | null, page: PresentPage): Promise<readonly PresentRow[]>
  countPresent(room: string | null): Promise<number>
  /** Nodes that are kept and not retired, each once, by name. */
  nodes(): Promise<readonly NodeStatusRow[]>
}

/** What a node says of itself. Any JSON object. */
export type NodeReport = Readonly<Record<string, unknown>>

export interface NewOwner {
  /** Unique among all owners that ever were. */
  readonly owner: string
  readonly nodeId: string
  readonly report: NodeReport
  readonly ttlMs: number
}

export interface SessionRow {
  readonly id: string
  /** Where it is. */
  readonly nodeId: string
  readonly user: string
  readonly roles: readonly string[]
  readonly transport: string
  /** STOMP's, where it is that. */
  readonly version: string | null
  /** Of the peer. */
  readonly address: string
  readonly connectedAt: string
}

export interface SessionFilter {
  readonly user?: string
  readonly nodeId?: string
}

/** Somebody is in a room, or, where that is null, connected at all. */
export interface Presence {
  readonly room: string | null
  readonly user: string
}

export interface PresenceChange {
  readonly opened: readonly Omit<SessionRow, 'nodeId'>[]
  /** Ids of sessions. */
  readonly closed: readonly string[]
  /** What the owner did not have before. */
  readonly entered: readonly (Presence & { readonly since: string })[]
  /** What it had. */
  readonly left: readonly Presence[]
}

export interface PresenceTurns {
  /** Whom no owner had there before. */
  readonly came: readonly Presence[]
  /** Whom no owner has there any more. */
  readonly went: readonly Presence[]
  /** By the database's clock: of what happens to one user, what happens later has no earlier time. */
  readonly at: string
}

export interface Burial {
  readonly nodeId: string
  readonly went: readonly Presence[]
  /** As in `PresenceTurns`. */
  readonly at: string
  /** Sessions removed. */
  readonly sessions: number
}

export interface PresentPage {
  readonly limit: number
  readonly after?: string
}

export interface PresentRow {
  readonly user: string
  /** The earliest that any owner says. */
  readonly since: string
}

export interface NodeStatusRow {
  readonly nodeId: string
  readonly report: NodeReport
  readonly sessions: number
  /** When it last renewed. */
  readonly renewedAt: string
}
