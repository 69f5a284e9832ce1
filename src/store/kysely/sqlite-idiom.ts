import { sql } from 'kysely'
import type { Insertable, Kysely } from 'kysely'
import { appendInSteps } from './append-in-steps.ts'
import { chunksOf } from './chunks.ts'
import type { Idiom } from './idiom.ts'
import { insertOrIgnore, upsertOrders } from './on-conflict.ts'
import type { OutboxTable, Schema, StreamTable } from './schema.ts'

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
  insertMissing: insertOrIgnore,
  saveOrders: (db, rows) => upsertOrders(db, rows, MAX_PARAMETERS),
  append: (db, batch) => appendInSteps({ insertRows, raise, insertOutbox }, db, batch),
}

async function insertRows<T extends keyof Schema>(
  db: Kysely<Schema>,
  table: T,
  rows: readonly Insertable<Schema[T]>[],
): Promise<void> {
  for (const chunk of chunksOf(rows, { maxParameters: MAX_PARAMETERS })) {
    await db.insertInto(table).values(chunk).execute()
  }
}

async function raise(db: Kysely<Schema>, streams: readonly StreamTable[]): Promise<StreamTable[]> {
  const raised: StreamTable[] = []
  for (const chunk of chunksOf(streams, { maxParameters: MAX_PARAMETERS })) {
    const rows = await db
      .insertInto('streams')
      .values(chunk)
      .onConflict((c) =>
        c.column('name').doUpdateSet((e) => ({
          head: e('streams.head', '+', e.ref('excluded.head')),
          expires_at: e.fn<string>('max', ['streams.expires_at', 'excluded.expires_at']),
        })),
      )
      .returningAll()
      .execute()
    raised.push(...rows)
  }
  return raised
}

async function insertOutbox(
  db: Kysely<Schema>,
  rows: readonly Insertable<OutboxTable>[],
): Promise<readonly number[]> {
  const seqs: number[] = []
  for (const chunk of chunksOf(rows, { maxParameters: MAX_PARAMETERS })) {
    const answer = await db.insertInto('outbox').values(chunk).returning('seq').execute()
    seqs.push(...answer.map(({ seq }) => seq))
  }
  // Numbers are given in the order of the rows; the answer may come in another one.
  return seqs.toSorted((a, b) => a - b)
}
