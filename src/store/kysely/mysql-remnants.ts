import { sql } from 'kysely'
import type { Kysely } from 'kysely'

/** What tells our tables from others in the same database. */
export const TABLE_COMMENT = 'stomp-relay'

/**
 * MySQL knows no transactions for tables: a process that is killed while it makes them leaves some of
 * them, empty. They are dropped, so that the next start can make all of them. Called under the
 * migration's lock: for all tables of ours only where no migration has ever ended, else for those named.
 */
export async function dropRemnants(db: Kysely<unknown>, names?: readonly string[]): Promise<void> {
  const { rows: ours } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables
    where table_schema = database() and table_comment = ${TABLE_COMMENT}
    order by table_name = 'order_changes' desc
  `.execute(db)
  const rows = names === undefined ? ours : ours.filter(({ name }) => names.includes(name))
  for (const { name } of rows) {
    const found = await sql`select 1 from ${sql.table(name)} limit 1`.execute(db)
    if (found.rows.length > 0) throw new Error(`the table ${name} holds rows, but nothing says its version`)
  }
  // Those that refer to others come first.
  for (const { name } of rows) await db.schema.dropTable(name).execute()
}
