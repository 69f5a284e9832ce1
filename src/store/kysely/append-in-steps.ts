import type { Insertable, Kysely } from 'kysely'
import type { AppendedEvent } from '../store.ts'
import type { EventBatch, Idiom, StagedRows } from './idiom.ts'
import type { OutboxTable, Schema, StreamTable } from './schema.ts'

export interface AppendSteps extends Pick<Idiom, 'insertRows'> {
  /** Adds to the heads of the streams, which locks them in their order, and answers the rows as they are then. */
  raise(db: Kysely<Schema>, streams: readonly StreamTable[]): Promise<readonly StreamTable[]>
  /** Answers the `seq` of each row, in order. */
  insertOutbox(db: Kysely<Schema>, rows: readonly Insertable<OutboxTable>[]): Promise<readonly number[]>
}

/** Appends with a statement for each table, where one statement cannot write to several. */
export async function appendInSteps(
  steps: AppendSteps,
  db: Kysely<Schema>,
  { batch, staged }: { readonly batch: EventBatch; readonly staged: readonly StagedRows[] },
): Promise<readonly AppendedEvent[]> {
  for (const { table, rows } of staged) await steps.insertRows(db, table, rows)
  const raised = await steps.raise(db, batch.streams)
  const streams = new Map(raised.map((row) => [row.name, row]))
  const placed = batch.events.map((event) => {
    const row = streams.get(event.stream)
    if (row === undefined) throw new Error('the database did not answer the head of a stream')
    return { event, offset: row.head - event.back, expires_at: row.expires_at }
  })
  await steps.insertRows(
    db,
    'events',
    placed.map(({ event: { stream, headers, body, created_at }, offset, expires_at }) => {
      return { stream, offset, headers, body, created_at, expires_at }
    }),
  )
  const outbox = placed.map(({ event: { stream, address }, offset }) => {
    return { node: batch.node, stream, offset, address }
  })
  const seqs = await steps.insertOutbox(db, outbox)
  return outbox.map(({ stream, offset }, i) => ({ seq: seqs[i] ?? 0, stream, offset }))
}
