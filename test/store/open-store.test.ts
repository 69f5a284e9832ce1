import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import Database from 'libsql'
import t, { type Test } from 'tap'
import { NodeError } from '../../src/errors.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import { plainEnvironment } from '../support/plain-environment.ts'
import { event } from './rows.ts'
import { stepBack } from './step-back.ts'

async function serve(t: Test, url: string, nodeId: string): Promise<{ child: ChildProcess; said: unknown }> {
  const child = fork(new URL('serve-store.ts', import.meta.url), [url, nodeId], {
    execArgv: ['--import', 'tsx'],
    env: plainEnvironment(),
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [said] = (await once(child, 'message')) as unknown[]
  return { child, said }
}

async function refusal(url: string): Promise<NodeError> {
  const error: unknown = await openStore({ url, nodeId: 'n', lock: true }).catch((reason: unknown) => reason)
  if (error instanceof NodeError) return error
  throw new Error('opened, or refused otherwise', { cause: error })
}

await t.test('keeps what was committed through kill -9, and adopts what was not relayed', async (t) => {
  const url = `sqlite:${t.testdir()}/relay.db`
  const first = await serve(t, url, 'dead')
  const exit = once(first.child, 'exit')
  first.child.kill('SIGKILL')
  await exit
  const store = await openStore({ url, nodeId: 'heir', lock: true })
  t.teardown(() => store.close())
  t.match(await store.messages.find('of-dead'), { content: 'hello' })
  t.equal(await store.log.head('/topic/a'), 1)
  t.match(await store.outbox.pending(0, 10), [{ stream: '/topic/a', offset: 1, body: '"dead"' }])
  t.match(first.said, { epoch: store.epoch }, 'the epoch stays')
})

await t.test('refuses a second server of the same file, and lets short commands in', async (t) => {
  const url = `sqlite:${t.testdir()}/relay.db`
  const first = await serve(t, url, 'one')
  t.match(first.said, { epoch: /./ })
  const second = await serve(t, url, 'two')
  t.match(second.said, { refused: /relay\.db is in use by another process/ })
  t.match(await refusal(url), { code: 'database-in-use' })

  const command = await openStore({ url, nodeId: 'cli', lock: false })
  t.teardown(() => command.close())
  await command.accounts.create({ name: 'root', passwordHash: 'x', roles: ['admin'], createdAt: '' })
  t.match(await command.accounts.find('root'), { roles: ['admin'] })
  t.strictSame(await command.outbox.pending(0, 10), [], 'a command adopts nothing')
})

await t.test('gives the file back when it is closed', async (t) => {
  const url = `sqlite:${t.testdir()}/relay.db`
  const store = await openStore({ url, nodeId: 'n', lock: true })
  await store.close()
  const again = await openStore({ url, nodeId: 'n', lock: true })
  t.teardown(() => again.close())
  await again.ping()
  t.equal(again.epoch, store.epoch)
})

await t.test('says which file cannot be opened, and why', async (t) => {
  const folder = t.testdir({ taken: {}, file: 'x' })
  t.match(await refusal(`sqlite:${folder}/taken`), {
    code: 'database-unavailable',
    message: `the database ${folder}/taken cannot be opened: it is a folder`,
  })
  t.match(await refusal(`sqlite:${folder}/file/relay.db`), {
    code: 'database-unavailable',
    message: /file\/relay\.db cannot be opened: (ENOTDIR|EEXIST)/,
  })
  writeFileSync(`${folder}/junk.db`, 'no database '.repeat(1000))
  t.match(await refusal(`sqlite:${folder}/junk.db`), {
    code: 'database-unavailable',
    message: /junk\.db cannot be opened: file is not a database/,
  })
  t.match(
    await refusal(`sqlite:${folder}/junk.db`),
    { code: 'database-unavailable' },
    'its lock was given back',
  )
  writeFileSync(`${folder}/odd.db.lock`, 'no database '.repeat(1000))
  t.match(await refusal(`sqlite:${folder}/odd.db`), {
    code: 'database-unavailable',
    message: /odd\.db cannot be opened: file is not a database/,
  })
  for (const url of ['sqlite:', 'sqlite::memory:', 'postgres://x']) {
    t.match(await refusal(url), { code: 'invalid-configuration' })
  }
})

await t.test('refuses a file whose tables are of a later version', async (t) => {
  const url = `sqlite:${t.testdir()}/relay.db`
  const store = await openStore({ url, nodeId: 'n', lock: true })
  await store.close()
  const raw = new Database(url.slice('sqlite:'.length))
  raw.exec("insert into kysely_migration values ('9999-future', '2030')")
  raw.close()
  t.match(await refusal(url), { message: /brought up to date/, cause: { cause: { message: /9999-future/ } } })
})

await t.test(
  'answers store-unavailable while the database refuses to write, and goes on after',
  async (t) => {
    const url = `sqlite:${t.testdir()}/relay.db`
    const store = await openStore({ url, nodeId: 'n', lock: true })
    t.teardown(() => store.close())
    await store.transact((tx) => tx.appendEvents([event('/topic/a')]))
    const raw = new Database(url.slice('sqlite:'.length))
    t.teardown(() => raw.close())
    raw.exec("create trigger broken before insert on events begin select raise(abort, 'disk on fire'); end")
    const failing = store.transact((tx) => tx.appendEvents([event('/topic/a')]))
    await t.rejects(failing, { code: 'store-unavailable', cause: { message: /disk on fire/ } })
    raw.exec('drop trigger broken')
    t.match(await store.transact((tx) => tx.appendEvents([event('/topic/a')])), [{ offset: 2 }])
  },
)

await t.test('writes ahead, so that readers do not wait for writers', async (t) => {
  const folder = t.testdir()
  const store = await openStore({ url: `sqlite:${folder}/relay.db`, nodeId: 'n', lock: true })
  t.teardown(() => store.close())
  const raw = new Database(`${folder}/relay.db`)
  t.teardown(() => raw.close())
  t.match(raw.prepare('pragma journal_mode').get(), { journal_mode: 'wal' })
})

await t.test('makes no table where one of somebody else has its name, and leaves theirs', async (t) => {
  const url = `sqlite:${t.testdir()}/relay.db`
  await (await openStore({ url, nodeId: 'n', lock: true })).close()
  const raw = new Database(url.slice('sqlite:'.length))
  t.teardown(() => raw.close())
  const tables = raw
    .prepare("select name from sqlite_master where type = 'table' and name not like 'sqlite%'")
    .all()
  for (const statement of stepBack(tables.map((row) => (row as { name: string }).name))) raw.exec(statement)
  raw.exec('create table presences (theirs int); insert into presences values (7)')
  t.match(await refusal(url), { code: 'database-unavailable' })
  t.match(raw.prepare('select theirs from presences').get(), { theirs: 7 })
  t.equal(raw.prepare("select 1 from sqlite_master where name = 'owners'").get(), undefined, 'none half made')
  raw.exec('drop table presences')
  const store = await openStore({ url, nodeId: 'n', lock: true })
  t.teardown(() => store.close())
  t.strictSame(await store.presence.nodes(), [])
})
