import type { Kysely, Migration } from 'kysely'
import type { ColumnTypes } from '../idiom.ts'
import { table, texts } from './table.ts'

/** What users do not want to be told of. */
export function notifications(columns: ColumnTypes): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await columns.clear(db, ['notification_preferences'])
      const making = { db, columns }
      await table(making, 'notification_preferences')
        .$call(texts(making, { user_id: 'user_id', muted: 'text' }))
        .addPrimaryKeyConstraint('notification_preferences_pk', ['user_id'])
        .execute()
    },
  }
}
