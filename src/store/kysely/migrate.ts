import { type Kysely, Migrator } from 'kysely'
import type { ColumnTypes } from './idiom.ts'
import { migrations } from './migrations/migrations.ts'
import type { Schema } from './schema.ts'

/** Brings the tables up to date, under a lock of the database: of several nodes that start, one does it. */
export async function migrate(db: Kysely<Schema>, columns: ColumnTypes): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations(columns) } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw new Error('the tables cannot be brought up to date', { cause: error })
}
