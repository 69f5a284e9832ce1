import { sql, type Kysely, type Migration } from 'kysely'
import type { ColumnTypes } from '../idiom.ts'
import { table, texts } from './table.ts'

/** Names that are known, those of accounts first. */
export function people(columns: ColumnTypes): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await columns.clear(db, ['people'])
      const making = { db, columns }
      await table(making, 'people')
        .$call(texts(making, { user_id: 'user_id', folded: 'folded' }))
        .addPrimaryKeyConstraint('people_pk', ['user_id'])
        .execute()
      await db.schema.createIndex('people_by_name').on('people').columns(['folded', 'user_id']).execute()
      await sql`insert into people (user_id, folded) select name, lower(name) from accounts`.execute(db)
    },
  }
}
