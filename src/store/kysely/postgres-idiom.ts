import { CompiledQuery, sql } from 'kysely'
import type { Insertable, Kysely } from 'kysely'
import type { AppendedEvent } from '../store.ts'
import type { EventBatch, Idiom, StagedRows } from './idiom.ts'
import { toJsonRows } from './json-rows.ts'
import { insertOrIgnore, upsertConversations, upsertOrders } from './on-conflict.ts'
import type { Schema } from './schema.ts'
import { codeOf } from './server-engine.ts'
import { executeTogether } from './statement-group.ts'

// The protocol's bound is 65,535.
const MAX_PARAMETERS = 60_000

/** serialization_failure, deadlock_detected, lock_not_available */
const CONTENTION: ReadonlySet<unknown> = new Set(['40001', '40P01', '55P03'])
const UNIQUE_VIOLATION = '23505'

const EXACT_TEXT = sql`text collate "C"`

export const POSTGRES_IDIOM: Idiom = {
  columns: {
    key: () => EXACT_TEXT,
    text: EXACT_TEXT,
    integer: 'bigint',
    blob: 'bytea',
    serial: 'bigserial',
    asSerial: (column) => column.primaryKey(),
    tableEnd: sql``,
    clear: () => Promise.resolve(), // a migration is a transaction
    addText: async (db, table, column) => {
      await sql`alter table ${sql.table(table)} add column if not exists ${sql.ref(column)} ${EXACT_TEXT}`.execute(
        db,
      )
    },
  },
  nowMs: sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
  hasRowLocks: true,
  isPipelined: true,
  maxParameters: MAX_PARAMETERS,
  isContention: (error) => CONTENTION.has(codeOf(error)),
  isDuplicateKey: (error) => codeOf(error) === UNIQUE_VIOLATION,
  insertRows,
  isAmong: (column, integers) => sql`${sql.ref(column)} = any(${integers}::bigint[])`,
  insertMissing: insertOrIgnore,
  saveOrders: (db, rows) => upsertOrders(db, rows, MAX_PARAMETERS),
  raiseConversations: (db, rows) => upsertConversations(db, rows, MAX_PARAMETERS),
  append,
}

async function insertRows<T extends keyof Schema>(
  db: Kysely<Schema>,
  table: T,
  rows: readonly Insertable<Schema[T]>[],
): Promise<void> {
  if (rows.length > 0) await db.executeQuery(insertion(table, rows))
}

/** Columns that hold no texts, in whatever table but that of dead letters. */
const BIGINTS: ReadonlySet<string> = new Set([
  'offset',
  'head',
  'version',
  'expires_ms',
  'slot',
  'turn',
  'omitted',
])

/** All rows are one parameter, so that the statement is the same however many there are. */
function insertion(table: keyof Schema, rows: readonly object[]): CompiledQuery {
  const columns = Object.keys(rows[0] ?? {})
  if (table === 'dead_letters') return arrayInsertion(table, columns, rows)
  const names = columns.map((column) => `"${column}"`).join(', ')
  return CompiledQuery.raw(
    `insert into "${table}" (${names}) select * from json_to_recordset($1::json) as given (${typed(columns)})`,
    [toJsonRows(rows)],
  )
}

/** One array for each column: slower than JSON, which has no bytes. */
function arrayInsertion(
  table: keyof Schema,
  columns: readonly string[],
  rows: readonly object[],
): CompiledQuery {
  const names = columns.map((column) => `"${column}"`).join(', ')
  const arrays = columns.map((column, i) => `$${i + 1}::${column === 'body' ? 'bytea' : 'text'}[]`).join(', ')
  const values = rows.map((row): unknown[] => Object.values(row))
  return CompiledQuery.raw(
    `insert into "${table}" (${names}) select * from unnest(${arrays})`,
    columns.map((_, i) => values.map((row) => row[i])),
  )
}

function typed(columns: readonly string[]): string {
  return columns.map((column) => `"${column}" ${BIGINTS.has(column) ? 'bigint' : 'text'}`).join(', ')
}

/**
 * All of it in one statement, since a part that writes may be read by the next one. JSON keeps its order:
 * so the streams are locked sorted, and `seq` grows along the batch.
 */
const APPEND = `
  with raised as (
    insert into streams (name, head, expires_at)
    select * from json_to_recordset($1::json) as given (name text, head bigint, expires_at text)
    on conflict (name) do update
    set head = streams.head + excluded.head, expires_at = greatest(streams.expires_at, excluded.expires_at)
    returning name, head, expires_at
  ), placed as (
    select given.*, raised.head - given.back as "offset", raised.expires_at
    from rows from (
      json_to_recordset($2::json)
      as (stream text, back bigint, headers text, body text, created_at text, address text)
    ) with ordinality as given (stream, back, headers, body, created_at, address, place)
    join raised on raised.name = given.stream
  ), logged as (
    insert into events (stream, "offset", headers, body, created_at, expires_at)
    select stream, "offset", headers, body, created_at, expires_at from placed
  ), waiting as (
    insert into outbox (node, stream, "offset", address)
    select $3::text, stream, "offset", address from placed order by place
    returning seq, stream, "offset"
  )
  select seq, stream, "offset" from waiting order by seq`

async function append(
  db: Kysely<Schema>,
  { node, streams, events }: EventBatch,
  staged: readonly StagedRows[],
): Promise<readonly AppendedEvent[]> {
  // Last, because it locks the streams.
  const [appended] = (
    await executeTogether(db, [
      ...staged.map(({ table, rows }) => insertion(table, rows)),
      CompiledQuery.raw(APPEND, [toJsonRows(streams), toJsonRows(events), node]),
    ])
  ).slice(-1)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `APPEND` says
  return (appended?.rows ?? []) as AppendedEvent[]
}
