import type {
  ColumnDataType,
  ColumnDefinitionBuilder,
  Insertable,
  InsertObject,
  Kysely,
  RawBuilder,
} from 'kysely'
import type { AppendedEvent } from '../store.ts'
import type { ConversationTable, EventTable, OrderTable, OutboxTable, Schema, StreamTable } from './schema.ts'

/** What the databases say differently. Everything else is said in one way, in the repositories. */
export interface Idiom {
  readonly columns: ColumnTypes
  /** Milliseconds since 1970 by the database's clock. */
  readonly nowMs: RawBuilder<number>
  /** Whether `for update` is there. A database without it has one writer at a time. */
  readonly hasRowLocks: boolean
  /** Whether statements may be sent before those ahead of them are answered, to fail with those that fail. */
  readonly isPipelined: boolean
  /** The most parameters one statement may have. */
  readonly maxParameters: number

  /** Whether the database gave a transaction up for another one's sake. */
  isContention(error: unknown): boolean
  isDuplicateKey(error: unknown): boolean

  /** Inserts the rows in their order, with few statements. */
  insertRows<T extends keyof Schema>(
    db: Kysely<Schema>,
    table: T,
    rows: readonly Insertable<Schema[T]>[],
  ): Promise<void>

  /** Whether the column is one of these integers: one text of SQL however many there are, if the database can. */
  isAmong(column: string, integers: readonly number[]): RawBuilder<boolean>

  /** Inserts a row, or answers false where a row of this key is there. */
  insertMissing<T extends keyof Schema>(
    db: Kysely<Schema>,
    table: T,
    row: InsertObject<Schema, T>,
  ): Promise<boolean>

  /** Inserts or overwrites, except for `created_at`. Each `order_id` is there once. */
  saveOrders(db: Kysely<Schema>, rows: readonly OrderTable[]): Promise<void>

  /** Inserts conversations, or puts a newer message on top of them. Each is there once. */
  raiseConversations(db: Kysely<Schema>, rows: readonly ConversationTable[]): Promise<void>

  /**
   * Raises heads, stores events and outbox rows, and what else is to be inserted, with few round trips.
   * The answer is in the order of `batch.events`.
   */
  append(
    db: Kysely<Schema>,
    batch: EventBatch,
    staged: readonly StagedRows[],
  ): Promise<readonly AppendedEvent[]>
}

/** At least one row, of a table without blobs; all have the same columns in the same order. */
export type StagedRows = {
  [T in PlainTable]: { readonly table: T; readonly rows: readonly Schema[T][] }
}[PlainTable]

type PlainTable = 'messages' | 'broadcasts' | 'notifications'

export interface EventBatch {
  readonly node: string
  /** Sorted by name, in which order they are locked. `head` is how many events of it there are. */
  readonly streams: readonly StreamTable[]
  readonly events: readonly BatchEvent[]
}

/** An event before its stream is locked: `back` events of its stream follow it in the batch. */
export interface BatchEvent
  extends Pick<EventTable, 'stream' | 'headers' | 'body' | 'created_at'>, Pick<OutboxTable, 'address'> {
  readonly back: number
}

/** What migrations make columns of. Names are compared and sorted by their bytes. */
export interface ColumnTypes {
  /** A text in a key or an index. */
  key(maxLength: number): ColumnType
  readonly text: ColumnType
  /** 64 bits, read as a JavaScript number. */
  readonly integer: ColumnType
  readonly blob: ColumnType
  /** A primary key that the database counts up, never twice the same. */
  readonly serial: ColumnType
  readonly asSerial: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder
  /** What `create table` ends with. */
  readonly tableEnd: RawBuilder<unknown>
  /**
   * Clears away what a migration left that was cut off, where that can be: all tables of ours for the first
   * one, or those named. Rejects where they hold rows.
   */
  clear(db: Kysely<unknown>, names?: readonly string[]): Promise<void>
  /** Adds a column for texts that may be missing, unless a migration that was cut off did. */
  addText(db: Kysely<unknown>, table: string, column: string): Promise<void>
}

export type ColumnType = ColumnDataType | RawBuilder<unknown>
