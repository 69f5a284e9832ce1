import type { Kysely, Migration } from 'kysely'
import type { ColumnTypes } from '../idiom.ts'
import { table, texts } from './table.ts'

/** Who is logged in with a refresh token. */
export function logins(columns: ColumnTypes): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await columns.clear(db, ['logins'])
      await table({ db, columns }, 'logins')
        .$call(texts({ db, columns }, { id: 'id', user_id: 'user_id' }))
        .addColumn('turn', columns.integer, (c) => c.notNull())
        .$call(texts({ db, columns }, { created_at: 'created_at', expires_at: 'expires_at' }))
        .addPrimaryKeyConstraint('logins_pk', ['id'])
        .execute()
      await db.schema.createIndex('logins_of_user').on('logins').columns(['user_id', 'created_at']).execute()
      await db.schema.createIndex('logins_by_end').on('logins').columns(['expires_at']).execute()
    },
  }
}
