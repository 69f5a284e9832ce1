import type { Kysely, Migration } from 'kysely'
import type { ColumnTypes } from '../idiom.ts'
import { table, texts, type Making, type Table } from './table.ts'

/** Accounts, entities, the streams with their outbox, leases of nodes, and answers to requests. */
export function initial(columns: ColumnTypes): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await columns.clear(db)
      const making = { db, columns }
      await createIdentity(making)
      await createConversations(making)
      await createOrders(making)
      await createStreams(making)
      await createNodes(making)
    },
  }
}

async function createIdentity(making: Making): Promise<void> {
  await table(making, 'accounts')
    .$call(texts(making, { name: 'name', password_hash: 'text', roles: 'text', created_at: 'created_at' }))
    .addPrimaryKeyConstraint('accounts_pk', ['name'])
    .execute()
  await table(making, 'settings')
    .$call(texts(making, { key: 'key', value: 'text' }))
    .addPrimaryKeyConstraint('settings_pk', ['key'])
    .execute()
}

async function createConversations(making: Making): Promise<void> {
  const { db, columns } = making
  await table(making, 'messages')
    .$call(texts(making, { id: 'id', conversation: 'conversation', sender: 'text', content: 'text' }))
    .$call(texts(making, { status: 'text', created_at: 'created_at' }))
    .addColumn('room', columns.text)
    .addColumn('receiver', columns.text)
    .addColumn('client_id', columns.text)
    .addColumn('reply_to', columns.text)
    .addPrimaryKeyConstraint('messages_pk', ['id'])
    .execute()
  await db.schema.createIndex('messages_listed').on('messages').columns(['conversation', 'id']).execute()
  await table(making, 'broadcasts')
    .$call(
      texts(making, { id: 'id', title: 'text', message: 'text', type: 'text', created_at: 'created_at' }),
    )
    .addPrimaryKeyConstraint('broadcasts_pk', ['id'])
    .execute()
  await table(making, 'notifications')
    .$call(texts(making, { id: 'id', user_id: 'user_id', title: 'text', message: 'text', type: 'text' }))
    .$call(texts(making, { data: 'text', created_at: 'created_at' }))
    .addColumn('read_at', columns.text)
    .addColumn('archived_at', columns.text)
    .addPrimaryKeyConstraint('notifications_pk', ['id'])
    .execute()
  await db.schema.createIndex('notifications_listed').on('notifications').columns(['user_id', 'id']).execute()
}

async function createOrders(making: Making): Promise<void> {
  const { db, columns } = making
  const state = (made: Table): Table =>
    made
      .$call(texts(making, { order_id: 'order_id', user_id: 'user_id', status: 'text', items: 'text' }))
      .$call(texts(making, { updated_at: 'text', created_at: 'created_at' }))
      .addColumn('note', columns.text)
      .addColumn('version', columns.integer)
  await table(making, 'orders').$call(state).addPrimaryKeyConstraint('orders_pk', ['order_id']).execute()
  await db.schema.createIndex('orders_listed').on('orders').columns(['user_id', 'order_id']).execute()
  await table(making, 'order_changes')
    .addColumn('change', columns.serial, columns.asSerial)
    .$call(state)
    .addForeignKeyConstraint('order_changes_order', ['order_id'], 'orders', ['order_id'])
    .execute()
  await db.schema
    .createIndex('order_changes_listed')
    .on('order_changes')
    .columns(['order_id', 'change'])
    .execute()
  await table(making, 'dead_letters')
    .$call(texts(making, { id: 'id', queue: 'text', reason: 'text', headers: 'text' }))
    .addColumn('body', columns.blob, (c) => c.notNull())
    .$call(texts(making, { created_at: 'created_at' }))
    .addPrimaryKeyConstraint('dead_letters_pk', ['id'])
    .execute()
}

async function createStreams(making: Making): Promise<void> {
  const { db, columns } = making
  await table(making, 'streams')
    .$call(texts(making, { name: 'name', expires_at: 'expires_at' }))
    .addColumn('head', columns.integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('streams_pk', ['name'])
    .execute()
  await table(making, 'events')
    .$call(texts(making, { stream: 'stream', headers: 'text', body: 'text' }))
    .addColumn('offset', columns.integer, (c) => c.notNull())
    .$call(texts(making, { created_at: 'created_at', expires_at: 'expires_at' }))
    .addPrimaryKeyConstraint('events_pk', ['stream', 'offset'])
    .execute()
  await db.schema
    .createIndex('events_expiring')
    .on('events')
    .columns(['expires_at', 'stream', 'offset'])
    .execute()
  await table(making, 'outbox')
    .addColumn('seq', columns.serial, columns.asSerial)
    .$call(texts(making, { node: 'node', stream: 'stream', address: 'text' }))
    .addColumn('offset', columns.integer, (c) => c.notNull())
    .execute()
  await db.schema.createIndex('outbox_pending').on('outbox').columns(['node', 'seq']).execute()
  await db.schema.createIndex('outbox_waiting').on('outbox').columns(['stream', 'offset']).unique().execute()
}

async function createNodes(making: Making): Promise<void> {
  const { db, columns } = making
  await table(making, 'nodes')
    .$call(texts(making, { node_id: 'node_id', boot: 'text' }))
    .addColumn('expires_ms', columns.integer, (c) => c.notNull())
    .addPrimaryKeyConstraint('nodes_pk', ['node_id'])
    .execute()
  await table(making, 'requests')
    .$call(texts(making, { key: 'key', answer: 'text', expires_at: 'expires_at' }))
    .addPrimaryKeyConstraint('requests_pk', ['key'])
    .execute()
  await db.schema.createIndex('requests_expiring').on('requests').columns(['expires_at']).execute()
}
