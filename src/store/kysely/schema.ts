import type { Generated } from 'kysely'

/** The tables as they are in the database: snake case, JSON as text. `rows.ts` converts. */
export interface Schema {
  accounts: AccountTable
  settings: SettingTable
  messages: MessageTable
  broadcasts: BroadcastTable
  notifications: NotificationTable
  orders: OrderTable
  order_changes: OrderChangeTable
  dead_letters: DeadLetterTable
  streams: StreamTable
  events: EventTable
  outbox: OutboxTable
  nodes: NodeTable
  requests: RequestTable
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

export interface OrderTable {
  order_id: string
  user_id: string
  status: string
  items: string
  note: string | null
  version: number | null
  updated_at: string
  created_at: string
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
  order_id: 255,
  node: 255,
  node_id: 255,
  created_at: 40,
  expires_at: 40,
} as const
