import type { Kysely, Migration } from 'kysely'
import type { ColumnTypes } from '../idiom.ts'
import { table, texts, type Making } from './table.ts'

const TABLES = ['owners', 'sessions', 'presences', 'presence_locks']

/** Who is connected where. Nothing in these tables outlives the processes that wrote it. */
export function presence(columns: ColumnTypes): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      // MySQL knows no transactions for tables: one that was killed here left some of them.
      for (const name of TABLES) await db.schema.dropTable(name).ifExists().execute()
      await create({ db, columns })
    },
  }
}

async function create(making: Making): Promise<void> {
  const { db, columns } = making
  await table(making, 'owners')
    .$call(texts(making, { owner: 'owner', node: 'node', report: 'text' }))
    .addColumn('is_dead', columns.integer, (c) => c.notNull())
    .addColumn('renewed_ms', columns.integer, (c) => c.notNull())
    .addColumn('expires_ms', columns.integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('owners_pk', ['owner'])
    .execute()
  await table(making, 'sessions')
    .$call(texts(making, { id: 'id', owner: 'owner', user_id: 'user_id', roles: 'text', transport: 'text' }))
    .addColumn('stomp_version', columns.text)
    .$call(texts(making, { address: 'text', connected_at: 'created_at' }))
    .addPrimaryKeyConstraint('sessions_pk', ['id'])
    .execute()
  await db.schema.createIndex('sessions_owned').on('sessions').columns(['owner']).execute()
  await db.schema.createIndex('sessions_of_user').on('sessions').columns(['user_id', 'id']).execute()
  await table(making, 'presences')
    .$call(texts(making, { user_id: 'user_id', place: 'place', owner: 'owner', since: 'created_at' }))
    .addPrimaryKeyConstraint('presences_pk', ['user_id', 'place', 'owner'])
    .execute()
  await db.schema.createIndex('presences_owned').on('presences').columns(['owner']).execute()
  await db.schema.createIndex('presences_there').on('presences').columns(['place', 'user_id']).execute()
  await table(making, 'presence_locks')
    .addColumn('slot', columns.integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('presence_locks_pk', ['slot'])
    .execute()
}
