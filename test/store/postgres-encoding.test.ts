import { Client } from 'pg'
import t from 'tap'
import { openStore } from '../../src/store/kysely/open-store.ts'
import { useOwnPostgres } from '../support/postgres.ts'

t.setTimeout(120_000)

await t.test('refuses a database that cannot hold every text', async (t) => {
  const { server } = await useOwnPostgres(t)
  const admin = new Client({ connectionString: server.url })
  await admin.connect()
  t.teardown(() => admin.end())
  await admin.query(
    "create database old encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' locale_provider libc template template0",
  )
  const url = new URL(server.url)
  url.pathname = '/old'
  await t.rejects(openStore({ url: url.href, nodeId: 'n', lock: true }), {
    code: 'database-unavailable',
    message: /its encoding is LATIN1; it must be UTF8/,
  })
})
