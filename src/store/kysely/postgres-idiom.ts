import { sql } from 'kysely'
import type { Insertable, Kysely, RawBuilder } from 'kysely'
import type { AppendedEvent } from '../store.ts'
import type { EventBatch, Idiom } from './idiom.ts'
import { insertOrIgnore, upsertOrders } from './on-conflict.ts'
import type { Schema } from './schema.ts'
import { codeOf } from './server-engine.ts'

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
  },
  nowMs: sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
  hasRowLocks: true,
  isPipelined: true,
  maxParameters: MAX_PARAMETERS,
  isContention: (error) => CONTENTION.has(codeOf(error)),
  isDuplicateKey: (error) => codeOf(error) === UNIQUE_VIOLATION,
  insertRows,
  insertMissing: insertOrIgnore,
  saveOrders: (db, rows) => upsertOrders(db, rows, MAX_PARAMETERS),
  append,
}

/** One array for each column, so that the statement is the same however many rows there are. */
async function insertRows<T extends keyof Schema>(
  db: Kysely<Schema>,
  table: T,
  rows: readonly Insertable<Schema[T]>[],
): Promise<void> {
  const [first] = rows
  if (first === undefined) return
  const columns = Object.keys(first)
  const values = rows.map((row) => Object.values(row))
  const arrays = columns.map((column, i) =>
    arrayOf(
      column,
      values.map((row) => row[i]),
    ),
  )
  await sql`
    insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))})
    select * from unnest(${sql.join(arrays)})
  `.execute(db)
}

const INTEGERS: ReadonlySet<string> = new Set(['offset', 'head', 'version', 'expires_ms'])

function arrayOf(column: string, values: readonly unknown[]): RawBuilder<unknown> {
  if (INTEGERS.has(column)) return sql`${sql.val(values)}::bigint[]`
  if (values.some((value) => value instanceof Uint8Array)) return sql`${sql.val(values)}::bytea[]`
  return sql`${sql.val(values)}::text[]`
}

/**
 * All of it in one statement, since a part that writes may be read by the next one. Arrays keep their order
 * in `unnest`: so the streams are locked sorted, and `seq` grows along the batch.
 */
async function append(db: Kysely<Schema>, batch: EventBatch): Promise<readonly AppendedEvent[]> {
  const { node, streams, events } = batch
  const { rows } = await sql<AppendedEvent>`
    with raised as (
      insert into streams (name, head, expires_at)
      select * from unnest(
        ${streams.map((row) => row.name)}::text[],
        ${streams.map((row) => row.head)}::bigint[],
        ${streams.map((row) => row.expires_at)}::text[]
      )
      on conflict (name) do update
      set head = streams.head + excluded.head, expires_at = greatest(streams.expires_at, excluded.expires_at)
      returning name, head, expires_at
    ), placed as (
      select given.*, raised.head - given.back as "offset", raised.expires_at
      from unnest(
        ${events.map((row) => row.stream)}::text[],
        ${events.map((row) => row.back)}::bigint[],
        ${events.map((row) => row.headers)}::text[],
        ${events.map((row) => row.body)}::text[],
        ${events.map((row) => row.created_at)}::text[],
        ${events.map((row) => row.address)}::text[]
      ) with ordinality as given (stream, back, headers, body, created_at, address, place)
      join raised on raised.name = given.stream
    ), logged as (
      insert into events (stream, "offset", headers, body, created_at, expires_at)
      select stream, "offset", headers, body, created_at, expires_at from placed
    ), waiting as (
      insert into outbox (node, stream, "offset", address)
      select ${node}::text, stream, "offset", address from placed order by place
      returning seq, stream, "offset"
    )
    select seq, stream, "offset" from waiting order by seq
  `.execute(db)
  return rows
}
