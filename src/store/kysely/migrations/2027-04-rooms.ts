import type { Kysely, Migration } from 'kysely'
import type { ColumnTypes } from '../idiom.ts'
import { table, texts, type Making } from './table.ts'

const TABLES = ['rooms', 'room_members', 'room_reads', 'message_edits']

/** Rooms, who belongs to private ones, how far everybody has read, and which messages were edited. */
export function rooms(columns: ColumnTypes): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await columns.clear(db, TABLES)
      await create({ db, columns })
    },
  }
}

async function create(making: Making): Promise<void> {
  const { db, columns } = making
  await table(making, 'rooms')
    .$call(texts(making, { room_name: 'room_name', visibility: 'text', owner: 'text', created_at: 'text' }))
    .addPrimaryKeyConstraint('rooms_pk', ['room_name'])
    .execute()
  await table(making, 'room_members')
    .$call(texts(making, { room_name: 'room_name', user_id: 'user_id', role: 'text', since: 'text' }))
    .addPrimaryKeyConstraint('room_members_pk', ['room_name', 'user_id'])
    .execute()
  await db.schema
    .createIndex('room_members_of_user')
    .on('room_members')
    .columns(['user_id', 'room_name'])
    .execute()
  await table(making, 'room_reads')
    .$call(texts(making, { room_name: 'room_name', user_id: 'user_id', message_id: 'text' }))
    .addColumn('read_offset', columns.integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('room_reads_pk', ['room_name', 'user_id'])
    .execute()
  await table(making, 'message_edits')
    .$call(texts(making, { id: 'id', edited_at: 'text' }))
    .addPrimaryKeyConstraint('message_edits_pk', ['id'])
    .execute()
}
