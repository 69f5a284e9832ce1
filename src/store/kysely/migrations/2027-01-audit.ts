import type { Kysely, Migration } from 'kysely'
import type { ColumnTypes } from '../idiom.ts'
import { table, texts } from './table.ts'

/** What happened, for administrators to read. */
export function audit(columns: ColumnTypes): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await columns.clear(db, ['audit'])
      const making = { db, columns }
      await table(making, 'audit')
        .$call(texts(making, { id: 'id', created_at: 'created_at', kind: 'kind', user_id: 'user_id' }))
        .$call(texts(making, { node: 'text', address: 'text', about: 'text' }))
        .addColumn('omitted', columns.integer, (c) => c.notNull())
        .addPrimaryKeyConstraint('audit_pk', ['id'])
        .execute()
      await db.schema.createIndex('audit_of_kind').on('audit').columns(['kind', 'id']).execute()
      await db.schema.createIndex('audit_of_user').on('audit').columns(['user_id', 'id']).execute()
    },
  }
}
