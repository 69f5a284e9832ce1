import { sql } from 'kysely'
import type { Insertable, Kysely } from 'kysely'
import { chunksOf } from './chunks.ts'
import type { Idiom } from './idiom.ts'
import { insertOrIgnore, upsertConversations, upsertOrders } from './on-conflict.ts'
import type { Schema } from './schema.ts'
import { appendTogether, jsonInsertion } from './sqlite-append.ts'

// SQLite's SQLITE_MAX_VARIABLE_NUMBER is 32766 since 3.32.
const MAX_PARAMETERS = 32_000

export const SQLITE_IDIOM: Idiom = {
  columns: {
    key: () => 'text',
    text: 'text',
    integer: 'integer',
    blob: 'blob',
    serial: 'integer',
    asSerial: (column) => column.primaryKey().autoIncrement(),
    tableEnd: sql``,
    clear: () => Promise.resolve(), // a migration is a transaction
    addText,
  },
  nowMs: sql<number>`cast(round((julianday('now') - 2440587.5) * 86400000) as integer)`,
  hasRowLocks: false,
  isPipelined: false,
  maxParameters: MAX_PARAMETERS,
  // One writer at a time, who waited for the file for as long as the busy time-out says.
  isContention: () => false,
  isDuplicateKey: (error) =>
    error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_CONSTRAINT'),
  insertRows,
  isAmong: (column, integers) =>
    sql`${sql.ref(column)} in (select value from json_each(${JSON.stringify(integers)}))`,
  insertMissing: insertOrIgnore,
  saveOrders: (db, rows) => upsertOrders(db, rows, MAX_PARAMETERS),
  raiseConversations: (db, rows) => upsertConversations(db, rows, MAX_PARAMETERS),
  append: appendTogether,
}

async function addText(db: Kysely<unknown>, table: string, column: string): Promise<void> {
  const { rows } = await sql`select 1 from pragma_table_info(${table}) where name = ${column}`.execute(db)
  if (rows.length === 0) await db.schema.alterTable(table).addColumn(column, 'text').execute()
}

/** Tables of texts. Others are rarely written, or hold blobs. */
const IN_JSON: ReadonlySet<keyof Schema> = new Set([
  'messages',
  'broadcasts',
  'notifications',
  'requests',
  'sessions',
  'presences',
  'deliveries',
])

async function insertRows<T extends keyof Schema>(
  db: Kysely<Schema>,
  table: T,
  rows: readonly Insertable<Schema[T]>[],
): Promise<void> {
  if (rows.length > 0 && IN_JSON.has(table)) {
    await db.executeQuery(jsonInsertion(table, rows))
    return
  }
  for (const chunk of chunksOf(rows, { maxParameters: MAX_PARAMETERS })) {
    await db.insertInto(table).values(chunk).execute()
  }
}
