import { Client } from 'pg'
import t from 'tap'
import { openStore } from '../../src/store/kysely/open-store.ts'
import { LATER, laterOf, stepBack } from './step-back.ts'
import { usePostgres } from '../support/postgres.ts'

await t.test('makes no table where one of somebody else has its name, and leaves theirs', async (t) => {
  const url = await usePostgres(t)
  await (await openStore({ url, nodeId: 'n', lock: true })).close()
  const client = new Client({ connectionString: url })
  await client.connect()
  t.teardown(() => client.end())
  const { rows } = await client.query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'public'",
  )
  const tables = rows.map(({ name }) => name)
  t.strictSame(laterOf(tables), LATER.toSorted(), 'all are named here')
  for (const statement of stepBack(tables)) await client.query(statement)
  for (const name of LATER) {
    await client.query(`create table ${name} (theirs int)`)
    await client.query(`insert into ${name} values (7)`)
    const message = new RegExp(`"${name}" already exists`)
    await t.rejects(openStore({ url, nodeId: 'n', lock: true }), { message })
    t.strictSame((await client.query(`select theirs from ${name}`)).rows, [{ theirs: 7 }])
    const other = name === 'owners' ? 'people' : 'owners'
    const made = await client.query('select to_regclass($1) as made', [other])
    t.match(made.rows, [{ made: null }], 'none half made')
    await client.query(`drop table ${name}`)
  }
  const store = await openStore({ url, nodeId: 'n', lock: true })
  t.teardown(() => store.close())
  t.strictSame(await store.presence.nodes(), [])
})
