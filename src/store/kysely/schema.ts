import type { Generated } from 'kysely'

/** The tables as they are in the database: snake case, JSON as text. `rows.ts` converts. */
export interface Schema {
  accounts: AccountTable
  settings: SettingTable
  messages: MessageTable
  broadcasts: BroadcastTable
  notifications: NotificationTable
  notification_preferences: NotificationPreferenceTable
  orders: OrderTable
  order_changes: OrderChangeTable
  dead_letters: DeadLetterTable
  streams: StreamTable
  events: EventTable
  outbox: OutboxTable
  nodes: NodeTable
  requests: RequestTable
  owners: OwnerTable
  sessions: SessionTable
  presences: PresenceTable
  presence_locks: PresenceLockTable
  logins: LoginTable
  audit: AuditTable
  deliveries: DeliveryTable
  conversations: ConversationTable
  rooms: RoomTable
  room_members: RoomMemberTable
  room_reads: RoomReadTable
  message_edits: MessageEditTable
  operations: OperationTable
  operation_results: OperationResultTable
  operation_users: OperationUserTable
  people: PersonTable
}

export interface AccountTable {
  name: string
  password_hash: string
  roles: string
  created_at: string
}

export interface SettingTable {
  key: string
  value: string
}

export interface MessageTable {
  id: string
  /** What is listed together: `public`, `room:NAME`, `private:NAME:NAME` (sorted). */
  conversation: string
  room: string | null
  sender: string
  receiver: string | null
  content: string
  client_id: string | null
  reply_to: string | null
  status: string
  created_at: string
}

export interface BroadcastTable {
  id: string
  title: string
  message: string
  type: string
  created_at: string
}

export interface NotificationTable {
  id: string
  user_id: string
  title: string
  message: string
  type: string
  data: string
  created_at: string
  read_at: string | null
  archived_at: string | null
}

export interface NotificationPreferenceTable {
  user_id: string
  /** Types, as JSON. */
  muted: string
}

export interface OrderTable {
  order_id: string
  user_id: string
  status: string
  items: string
  note: string | null
  version: number | null
  updated_at: string
  created_at: string
  changed_by: string | null
}

export interface OrderChangeTable extends OrderTable {
  change: Generated<number>
}

export interface DeadLetterTable {
  id: string
  queue: string
  reason: string
  headers: string
  body: Uint8Array
  created_at: string
}

export interface StreamTable {
  name: string
  head: number
  /** The latest of its events: so no event expires before one that came earlier. */
  expires_at: string
}

export interface EventTable {
  stream: string
  offset: number
  headers: string
  body: string
  created_at: string
  expires_at: string
}

export interface OutboxTable {
  seq: Generated<number>
  node: string
  stream: string
  offset: number
  address: string
}

export interface NodeTable {
  node_id: string
  boot: string
  /** By the database's clock, since 1970. */
  expires_ms: number
}

export interface RequestTable {
  key: string
  answer: string
  expires_at: string
}

/** Who keeps rows of the two tables below. */
export interface OwnerTable {
  owner: string
  node: string
  report: string
  /** Given up: it may write no more. 0 or 1. */
  is_dead: number
  /** By the database's clock, since 1970. */
  renewed_ms: number
  expires_ms: number
}

export interface SessionTable {
  id: string
  owner: string
  user_id: string
  roles: string
  transport: string
  stomp_version: string | null
  address: string
  connected_at: string
}

export interface PresenceTable {
  user_id: string
  /** A room; empty: connected at all. */
  place: string
  owner: string
  since: string
}

/** What is locked so that changes of one user happen one after the other: a hash of its name. */
export interface PresenceLockTable {
  slot: number
}

export interface LoginTable {
  id: string
  user_id: string
  turn: number
  created_at: string
  expires_at: string
}

export interface AuditTable {
  id: string
  created_at: string
  kind: string
  user_id: string
  node: string
  address: string
  about: string
  omitted: number
}

/** How far a private message got. */
export interface DeliveryTable {
  id: string
  /** The receiver. */
  user_id: string
  /** The sender. */
  other: string
  state: string
}

export interface PersonTable {
  user_id: string
  /** In small letters, by which it is found. */
  folded: string
}

/** Each twice, once for either side. */
export interface ConversationTable {
  user_id: string
  other: string
  last_id: string
}

export interface RoomTable {
  room_name: string
  visibility: string
  owner: string
  created_at: string
}

export interface RoomMemberTable {
  room_name: string
  user_id: string
  role: string
  since: string
}

export interface RoomReadTable {
  room_name: string
  user_id: string
  /** Of the last message read, and of the last event in the stream of the room. */
  message_id: string
  read_offset: number
}

/** Of messages that were edited. */
export interface MessageEditTable {
  id: string
  edited_at: string
}

export interface OperationTable {
  id: string
  user_id: string
  type: string
  params: string
  state: string
  done: number
  total: number | null
  error: string
  node: string | null
  run: string | null
  checkpoint: string
  is_cancel_requested: number
  attempts: number
  parts: number
  /** Until when its run has it, by the database's clock, since 1970. */
  lease_ms: number
  created_at: string
  started_at: string | null
  ended_at: string | null
}

export interface OperationResultTable {
  operation_id: string
  part: number
  text: string
}

/** What is locked so that transactions about the operations of one user follow one another. */
export interface OperationUserTable {
  user_id: string
}

/**
 * The longest texts that columns in keys and indexes take, in UTF-16 code units: MySQL needs to know, and
 * all databases shall refuse the same. No index may be wider than 768 (InnoDB: 3072 bytes).
 */
export const KEY_LENGTHS = {
  name: 512,
  stream: 512,
  conversation: 400,
  key: 255,
  id: 255,
  user_id: 255,
  other: 255,
  last_id: 255,
  folded: 255,
  order_id: 255,
  node: 255,
  node_id: 255,
  owner: 128,
  place: 128,
  room_name: 128,
  kind: 64,
  state: 64,
  created_at: 40,
  expires_at: 40,
} as const
