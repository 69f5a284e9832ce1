import type { Kysely, Migration } from 'kysely'
import type { ColumnTypes } from '../idiom.ts'
import { KEY_LENGTHS } from '../schema.ts'
import { table, texts, type Making } from './table.ts'

const TABLES = ['operations', 'operation_results', 'operation_users']

/** Long operations, what they result in, and what is locked so that those of one user do not run at once. */
export function operations(columns: ColumnTypes): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await columns.clear(db, TABLES)
      await create({ db, columns })
    },
  }
}

async function create(making: Making): Promise<void> {
  const { db, columns } = making
  const { integer } = columns
  await table(making, 'operations')
    .$call(texts(making, { id: 'id', user_id: 'user_id', type: 'text', params: 'text', state: 'state' }))
    .addColumn('done', integer, (c) => c.notNull())
    .addColumn('total', integer)
    .$call(texts(making, { error: 'text', checkpoint: 'text', created_at: 'created_at' }))
    .addColumn('node', columns.text)
    .addColumn('run', columns.text)
    .addColumn('is_cancel_requested', integer, (c) => c.notNull())
    .addColumn('attempts', integer, (c) => c.notNull())
    .addColumn('parts', integer, (c) => c.notNull())
    .addColumn('lease_ms', integer, (c) => c.notNull())
    .addColumn('started_at', columns.text)
    .addColumn('ended_at', columns.key(KEY_LENGTHS.created_at))
    .addPrimaryKeyConstraint('operations_pk', ['id'])
    .execute()
  await db.schema.createIndex('operations_of_user').on('operations').columns(['user_id', 'id']).execute()
  await db.schema.createIndex('operations_in_state').on('operations').columns(['state', 'id']).execute()
  await db.schema.createIndex('operations_ended').on('operations').columns(['ended_at']).execute()
  await table(making, 'operation_results')
    .$call(texts(making, { operation_id: 'id', text: 'text' }))
    .addColumn('part', integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('operation_results_pk', ['operation_id', 'part'])
    .execute()
  await table(making, 'operation_users')
    .$call(texts(making, { user_id: 'user_id' }))
    .addPrimaryKeyConstraint('operation_users_pk', ['user_id'])
    .execute()
}
