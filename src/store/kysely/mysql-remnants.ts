import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/** What tells our tables from others in the same database. */
export const TABLE_COMMENT = 'stomp-relay'

/**
 * MySQL knows no transactions for tables: a process that is killed while it makes them leaves some of
 * them, empty. They are dropped, so that the next start can make all of them. Called under the
 * migration's lock, and only where no migration has ever ended.
 */
export async function dropRemnants(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables
    where table_schema = database() and table_comment = ${TABLE_COMMENT}
    order by table_name = 'order_changes' desc
  `.execute(db)
  for (const { name } of rows) {
    const found = await sql`select 1 from ${sql.table(name)} limit 1`.execute(db)
    if (found.rows.length > 0) throw new Error(`the table ${name} holds rows, but nothing says its version`)
  }
  // Those that refer to others come first.
  for (const { name } of rows) await db.schema.dropTable(name).execute()
}
