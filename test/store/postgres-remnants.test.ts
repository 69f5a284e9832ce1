import { Client } from 'pg'
import t from 'tap'
import { openStore } from '../../src/store/kysely/open-store.ts'
import { usePostgres } from '../support/postgres.ts'

await t.test('makes no table where one of somebody else has its name, and leaves theirs', async (t) => {
  const url = await usePostgres(t)
  await (await openStore({ url, nodeId: 'n', lock: true })).close()
  const client = new Client({ connectionString: url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('drop table owners, sessions, presences, presence_locks')
  await client.query("delete from kysely_migration where name = '2026-11-presence'")
  await client.query('create table sessions (theirs int)')
  await client.query('insert into sessions values (7)')
  await t.rejects(openStore({ url, nodeId: 'n', lock: true }), { message: /"sessions" already exists/ })
  t.strictSame((await client.query('select theirs from sessions')).rows, [{ theirs: 7 }])
  t.match(
    (await client.query("select to_regclass('owners') as made")).rows,
    [{ made: null }],
    'none half made',
  )
  await client.query('drop table sessions')
  const store = await openStore({ url, nodeId: 'n', lock: true })
  t.teardown(() => store.close())
  t.strictSame(await store.presence.nodes(), [])
})
