import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise'
import t, { type Test } from 'tap'
import { openStore } from '../../src/store/kysely/open-store.ts'
import { useMariaDb } from '../support/mariadb.ts'
import { LATER, laterOf, stepBack } from './step-back.ts'

async function tablesOf(connection: Connection): Promise<string[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    'select table_name as name from information_schema.tables where table_schema = database()',
  )
  return rows.map(({ name }) => String(name))
}

async function emptyTables(t: Test) {
  const url = await useMariaDb(t)
  const store = await openStore({ url, nodeId: 'n', lock: true })
  await store.close()
  const connection = await createConnection(url)
  t.teardown(() => connection.end())
  await connection.query('delete from settings')
  return { url, connection }
}

await t.test('starts again where a first start was killed among its tables', async (t) => {
  const { url, connection } = await emptyTables(t)
  await connection.query('drop table outbox, nodes, requests')
  await connection.query('delete from kysely_migration')
  const store = await openStore({ url, nodeId: 'n', lock: true })
  t.teardown(() => store.close())
  t.match(store.epoch, /./)
  t.strictSame(await store.outbox.pending(0, 1), [])
})

await t.test('never drops a table that holds rows, nor one of somebody else', async (t) => {
  const { url, connection } = await emptyTables(t)
  await connection.query("insert into settings values ('k', 'v')")
  await connection.query('delete from kysely_migration')
  const refused = openStore({ url, nodeId: 'n', lock: true })
  await t.rejects(refused, { code: 'database-unavailable', message: /the table settings holds rows/ })
  t.match(await connection.query('select value from settings'), [[{ value: 'v' }]])

  const other = await useMariaDb(t)
  const theirs = await createConnection(other)
  t.teardown(() => theirs.end())
  await theirs.query('create table orders (id int)')
  await t.rejects(openStore({ url: other, nodeId: 'n', lock: true }), { message: /orders.* already exists/ })
  t.strictSame((await theirs.query('select * from orders'))[0], [])
  await theirs.query('drop table orders')
  const store = await openStore({ url: other, nodeId: 'n', lock: true })
  t.teardown(() => store.close())
  await store.ping()
})

await t.test('makes the tables of a later migration that was killed, and drops none of others', async (t) => {
  const { url, connection } = await emptyTables(t)
  t.strictSame(laterOf(await tablesOf(connection)), LATER.toSorted(), 'all are named here')
  // All of them stand there, though no migration says that it made them; and then only a few.
  for (const left of [LATER, ['owners', 'sessions', 'room_members', 'operations']]) {
    const gone = (await tablesOf(connection)).filter((name) => !left.includes(name))
    for (const statement of stepBack(gone)) await connection.query(statement)
    await (await openStore({ url, nodeId: 'n', lock: true })).close()
    t.strictSame(laterOf(await tablesOf(connection)), LATER.toSorted())
  }
  for (const statement of stepBack(await tablesOf(connection))) await connection.query(statement)
  await connection.query("insert into settings values ('k', 'v')")
  const store = await openStore({ url, nodeId: 'n', lock: true })
  await store.close()
  t.match(await connection.query("select value from settings where `key` = 'k'"), [[{ value: 'v' }]])

  for (const statement of stepBack(await tablesOf(connection))) await connection.query(statement)
  for (const name of LATER) {
    await connection.query(`create table ${name} (theirs int)`)
    await connection.query(`insert into ${name} values (7)`)
    const message = new RegExp(`${name}.* already exists`)
    await t.rejects(openStore({ url, nodeId: 'n', lock: true }), { message })
    t.match(await connection.query(`select theirs from ${name}`), [[{ theirs: 7 }]])
    await connection.query(`drop table ${name}`)
  }
  const again = await openStore({ url, nodeId: 'n', lock: true })
  t.teardown(() => again.close())
  await again.presence.nodes()
})
