import { sql, type InsertObject, type Kysely } from 'kysely'
import { chunksOf } from './chunks.ts'
import type { ConversationTable, OrderTable, Schema } from './schema.ts'

/** `on conflict do nothing`, of SQLite and PostgreSQL. */
export async function insertOrIgnore<T extends keyof Schema>(
  db: Kysely<Schema>,
  table: T,
  row: InsertObject<Schema, T>,
): Promise<boolean> {
  const answer = await db
    .insertInto(table)
    .values(row)
    .onConflict((c) => c.doNothing())
    .executeTakeFirst()
  return answer.numInsertedOrUpdatedRows !== 0n
}

/** `on conflict do update`, of SQLite and PostgreSQL. */
export async function upsertOrders(
  db: Kysely<Schema>,
  rows: readonly OrderTable[],
  maxParameters: number,
): Promise<void> {
  for (const chunk of chunksOf(rows, { maxParameters })) {
    await db
      .insertInto('orders')
      .values(chunk)
      .onConflict((c) =>
        c.column('order_id').doUpdateSet((e) => ({
          user_id: e.ref('excluded.user_id'),
          status: e.ref('excluded.status'),
          items: e.ref('excluded.items'),
          note: e.ref('excluded.note'),
          version: e.ref('excluded.version'),
          updated_at: e.ref('excluded.updated_at'),
          changed_by: e.ref('excluded.changed_by'),
        })),
      )
      .execute()
  }
}

/** `on conflict do update`, of SQLite and PostgreSQL, which have no common word for the greater of two. */
export async function upsertConversations(
  db: Kysely<Schema>,
  rows: readonly ConversationTable[],
  maxParameters: number,
): Promise<void> {
  for (const chunk of chunksOf(rows, { maxParameters })) {
    await db
      .insertInto('conversations')
      .values(chunk)
      .onConflict((c) =>
        c.columns(['user_id', 'other']).doUpdateSet({
          last_id: sql`case when excluded.last_id > conversations.last_id
            then excluded.last_id else conversations.last_id end`,
        }),
      )
      .execute()
  }
}
