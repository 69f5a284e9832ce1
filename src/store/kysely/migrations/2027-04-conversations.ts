import type { Kysely, Migration } from 'kysely'
import type { ColumnTypes } from '../idiom.ts'
import { table, texts } from './table.ts'

/** How far private messages got, and who writes with whom. */
export function conversations(columns: ColumnTypes): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await columns.clear(db, ['deliveries', 'conversations'])
      const making = { db, columns }
      await table(making, 'deliveries')
        .$call(texts(making, { id: 'id', user_id: 'user_id', other: 'other', state: 'state' }))
        .addPrimaryKeyConstraint('deliveries_pk', ['id'])
        .execute()
      await db.schema
        .createIndex('deliveries_unread')
        .on('deliveries')
        .columns(['user_id', 'other', 'state'])
        .execute()
      await table(making, 'conversations')
        .$call(texts(making, { user_id: 'user_id', other: 'other', last_id: 'last_id' }))
        .addPrimaryKeyConstraint('conversations_pk', ['user_id', 'other'])
        .execute()
      await db.schema
        .createIndex('conversations_listed')
        .on('conversations')
        .columns(['user_id', 'last_id'])
        .execute()
    },
  }
}
