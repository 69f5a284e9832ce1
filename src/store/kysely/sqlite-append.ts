import { CompiledQuery, type Kysely } from 'kysely'
import type { AppendedEvent } from '../store.ts'
import type { EventBatch, StagedRows } from './idiom.ts'
import { jsonRows } from './json-rows.ts'
import type { Schema } from './schema.ts'
import { executeTogether } from './statement-group.ts'

const RAISE = `
  insert into streams (name, head, expires_at)
  select value ->> 0, value ->> 1, value ->> 2 from json_each(?) where true
  on conflict (name) do update set head = streams.head + excluded.head,
    expires_at = max(streams.expires_at, excluded.expires_at)
  returning name, head`

// SQLite keeps the order of a cross join: so `seq` grows along the batch.
const LOG = `
  insert into events (stream, "offset", headers, body, created_at, expires_at)
  select name, head - (value ->> 1), value ->> 2, value ->> 3, value ->> 4, expires_at
  from json_each(?) cross join streams on name = value ->> 0`

const QUEUE = `
  insert into outbox (node, stream, "offset", address)
  select value ->> 3, name, head - (value ->> 1), value ->> 2
  from json_each(?) cross join streams on name = value ->> 0`

const inserts = new Map<string, string>()

/** An `insert` of rows that hold texts, integers and null. */
export function jsonInsertion(table: string, rows: readonly object[]): CompiledQuery {
  const columns = Object.keys(rows[0] ?? {})
  const key = `${table} ${columns.join()}`
  let text = inserts.get(key)
  if (text === undefined) {
    const names = columns.map((column) => `"${column}"`)
    const values = columns.map((_, i) => `value ->> ${i}`)
    text = `insert into "${table}" (${names.join(', ')}) select ${values.join(', ')} from json_each(?)`
    inserts.set(key, text)
  }
  return given(
    text,
    rows.map((row) => Object.values(row)),
  )
}

/** All of it in one crossing to the database thread: what a batch costs the event loop is mostly crossings. */
export async function appendTogether(
  db: Kysely<Schema>,
  { node, streams, events }: EventBatch,
  staged: readonly StagedRows[],
): Promise<readonly AppendedEvent[]> {
  const [raised, , queued] = await executeTogether(db, [
    given(
      RAISE,
      streams.map((row) => [row.name, row.head, row.expires_at]),
    ),
    given(
      LOG,
      events.map((row) => [row.stream, row.back, row.headers, row.body, row.created_at]),
    ),
    given(
      QUEUE,
      events.map((row) => [row.stream, row.back, row.address, node]),
    ),
    ...staged.map(({ table, rows }) => jsonInsertion(table, rows)),
  ])
  const heads = new Map(raised?.rows.map(headOf))
  // Nobody else writes meanwhile: so the numbers follow one another.
  const last = Number(queued?.insertId)
  return events.map(({ stream, back }, i) => {
    const head = heads.get(stream)
    if (head === undefined) throw new Error('the database did not answer the head of a stream')
    return { seq: last - events.length + 1 + i, stream, offset: head - back }
  })
}

function given(sql: string, rows: readonly (readonly unknown[])[]): CompiledQuery {
  return CompiledQuery.raw(sql, [jsonRows(rows)])
}

function headOf(row: unknown): [name: string, head: number] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `RAISE` says
  const { name, head } = row as { readonly name: string; readonly head: number }
  return [name, head]
}
