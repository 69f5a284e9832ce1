import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { SqliteError, SqliteThread } from '../../src/store/kysely/sqlite-thread.ts'
import { plainEnvironment } from '../support/plain-environment.ts'
import { startThread } from './sqlite-rig.ts'
import { SLOW } from './sqlite-slow.ts'

await t.test('stores and answers each kind of value as it is', async (t) => {
  const { thread } = await startThread(t, { setup: 'create table kinds (a, b, c, d, e)' })
  const bytes = Buffer.from([0, 1, 255])
  t.match(await thread.execute('insert into kinds values (?, ?, ?, ?, ?)', ['é', 7, 0.5, null, bytes]), {
    changes: 1,
    lastInsertRowid: 1,
  })
  const select = 'select a, b, c, d, e, typeof(b) as type_b, typeof(e) as type_e from kinds where b = ?'
  const { rows } = await thread.execute(select, [7])
  t.strictSame(rows, [
    { a: 'é', b: 7, c: 0.5, d: null, e: new Uint8Array(bytes), type_b: 'integer', type_e: 'blob' },
  ])
})

await t.test('refuses a wrong value or number of values, and goes on', async (t) => {
  const { thread, messages } = await startThread(t, { setup: 'create table pair (a, b)' })
  const insert = 'insert into pair values (?, ?)'
  await t.rejects(thread.execute(insert, ['a', true]), TypeError)
  await t.rejects(thread.execute(insert, ['a', undefined]), TypeError)
  t.equal(messages(), 0, 'the thread, which could end the process, has not seen them')
  await t.rejects(thread.execute(insert, ['a']), { message: '2 parameters wanted, 1 given' })
  await t.rejects(thread.execute(insert, ['a', 'b', 'c']), { message: '2 parameters wanted, 3 given' })
  t.match(await thread.execute('select count(*) as n from pair', []), { rows: [{ n: 0 }] })
})

await t.test('says what SQLite says, with its code', async (t) => {
  const path = `${t.testdir()}/x.db`
  const { thread } = await startThread(t, { path, setup: 'create table one (a primary key)' })
  await thread.execute('insert into one values (1)', [])
  const twice = thread.execute('insert into one values (1)', [])
  await t.rejects(twice, SqliteError)
  await t.rejects(twice, { code: 'SQLITE_CONSTRAINT_PRIMARYKEY', message: 'UNIQUE constraint failed: one.a' })
  await t.rejects(thread.execute('selec', []), { code: 'SQLITE_ERROR', message: /syntax error/ })
  const other = await startThread(t, { path, busyTimeoutMs: 1 })
  await thread.execute('begin immediate', [])
  await t.rejects(other.thread.execute('begin immediate', []), { code: 'SQLITE_BUSY' })
})

await t.test('waits for the lock of another for as long as it is told', async (t) => {
  const path = `${t.testdir()}/x.db`
  const { thread } = await startThread(t, { path, setup: 'create table one (a)' })
  const other = await startThread(t, { path, busyTimeoutMs: 60_000 })
  await thread.execute('begin immediate', [])
  const waiting = other.thread.execute('insert into one values (1)', [])
  await thread.execute('commit', [], true)
  t.match(await waiting, { changes: 1 })
})

await t.test('says why a file cannot be opened, and leaves no thread', async (t) => {
  const folder = t.testdir({ 'junk.db': '' })
  writeFileSync(`${folder}/junk.db`, 'no database '.repeat(1000))
  const open = (path: string) => SqliteThread.open({ path, setup: 'pragma journal_mode = wal' })
  await t.rejects(open(folder), { name: 'SqliteError', message: /Unable to open/ })
  await t.rejects(open(`${folder}/none/x.db`), { message: /Unable to open/ })
  await t.rejects(open(`${folder}/junk.db`), { message: 'file is not a database' })
})

await t.test('lets the event loop turn while a statement runs', async (t) => {
  const { thread } = await startThread(t)
  const done: string[] = []
  const slow = thread.execute(SLOW, []).then(() => done.push('statement'))
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  done.push('ten turns')
  await slow
  t.strictSame(done, ['ten turns', 'statement'])
})

await t.test('takes statements of one turn across together, in order and in portions', async (t) => {
  const { thread, messages } = await startThread(t, { setup: 'create table one (a)' })
  const inserts = Array.from({ length: 32 }, (_, i) => thread.execute('insert into one values (?)', [i]))
  await Promise.all(inserts)
  t.equal(messages(), 1)
  const { rows } = await thread.execute('select a from one order by rowid', [])
  t.strictSame(
    rows,
    inserts.map((_, a) => ({ a })),
  )
  const before = messages()
  await Promise.all(Array.from({ length: 100 }, () => thread.execute('select 1', [])))
  t.equal(messages() - before, 4, 'what is answered in one turn is bounded')
})

await t.test('runs nothing outside the transaction that it was meant for', async (t) => {
  const { thread } = await startThread(t, { setup: 'create table one (a primary key)' })
  const stray = thread.execute('insert into one values (1)', [], true)
  await t.rejects(stray, { message: 'the transaction is over' })
  await thread.execute('begin', [])
  await thread.execute('insert into one values (2)', [], true)
  await thread.execute('begin', []) // whoever began the first one is gone
  t.match(await thread.execute('select count(*) as n from one', [], true), { rows: [{ n: 0 }] })
})

await t.test('rejects everything, now and later, when its thread ends', async (t) => {
  const { thread, worker } = await startThread(t)
  const ended = worker.terminate()
  const underway = [thread.execute('select 1', []), thread.execute('select 2', [])]
  for (const call of underway) await t.rejects(call, { message: 'the database thread has ended' })
  await ended
  await t.rejects(thread.execute('select 3', []), { message: 'the database thread has ended' })
  await thread.close()
})

await t.test('rejects everything when its thread fails, and keeps the cause', async (t) => {
  const { thread, worker } = await startThread(t)
  const failed = { message: 'the database thread failed', cause: { message: /map is not a function/ } }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker.postMessage({ no: 'list' })
  await t.rejects(thread.execute('select 1', []), failed)
  await t.rejects(thread.execute('select 1', []), failed)
})

await t.test('rejects what is not answered in time, and goes on when the thread does', async (t) => {
  const path = `${t.testdir()}/x.db`
  const owner = await startThread(t, { path, setup: 'create table one (a)' })
  const { thread, worker } = await startThread(t, { path, statementTimeoutMs: 1000, busyTimeoutMs: 60_000 })
  const late = { message: 'the database has not answered for 1000 ms' }
  await owner.thread.execute('begin immediate', [])
  const answered = once(worker, 'message')
  const waiting = thread.execute('begin immediate', [])
  const behind = Array.from({ length: 99 }, () => thread.execute('insert into one values (1)', [], true))
  for (const call of [waiting, ...behind]) await t.rejects(call, late)
  await t.rejects(thread.execute('select 1', []), late, 'nothing more is sent')
  worker.ref()
  await owner.thread.execute('commit', [], true)
  await answered
  const { rows = [] } = await thread.execute('select count(*) as n from one', [], true)
  t.match(rows, [{ n: 63 }], 'what was under way was run; what had waited behind it was not')
})

await t.test('refuses more statements than may wait', async (t) => {
  const { thread } = await startThread(t, { maxWaiting: 2 })
  const waiting = [thread.execute('select 1 as n', []), thread.execute('select 2 as n', [])]
  await t.rejects(thread.execute('select 3 as n', []), { message: 'too many statements are waiting' })
  t.match(await Promise.all(waiting), [{ rows: [{ n: 1 }] }, { rows: [{ n: 2 }] }])
  t.match(await thread.execute('select 4 as n', []), { rows: [{ n: 4 }] })
})

await t.test('closes after what was called, and takes nothing more', async (t) => {
  const { thread, worker } = await startThread(t)
  const exit = once(worker, 'exit')
  const last = thread.execute(SLOW, [])
  const closed = thread.close()
  await t.rejects(thread.execute('select 1', []), { message: 'the database is closed' })
  t.match(await last, { rows: [{ n: 1_000_000 }] })
  await closed
  await exit
  await thread.close()
})

await t.test('gives up a thread that does not end in time', async (t) => {
  const path = `${t.testdir()}/x.db`
  const owner = await startThread(t, { path })
  const { thread } = await startThread(t, { path, statementTimeoutMs: 20, busyTimeoutMs: 60_000 })
  await owner.thread.execute('begin immediate', [])
  const stuck = t.rejects(thread.execute('begin immediate', []), /has not answered/)
  await thread.close()
  await stuck
})

await t.test('lets the process end while it is open, but not before an answer', async (t) => {
  t.strictSame(await runProcess(t, 'wait'), { code: 0, said: 'answered 1000000\n' })
})

await t.test('lets the process end as it wants while a statement runs', async (t) => {
  t.strictSame(await runProcess(t, 'exit'), { code: 3, said: '' })
})

async function runProcess(t: Test, how: 'wait' | 'exit'): Promise<{ code: unknown; said: string }> {
  const child = fork(new URL('open-thread.ts', import.meta.url), [`${t.testdir()}/x.db`, how], {
    execArgv: ['--import', 'tsx'],
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const said: string[] = []
  child.stdout?.setEncoding('utf8').on('data', (text: string) => said.push(text))
  const [code] = (await once(child, 'close')) as unknown[]
  return { code, said: said.join('') }
}
