import { CompiledQuery, Kysely } from 'kysely'
import Database from 'libsql'
import t, { type Test } from 'tap'
import { jsonRows } from '../../src/store/kysely/json-rows.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import type { Schema } from '../../src/store/kysely/schema.ts'
import { LibsqlDialect } from '../../src/store/kysely/sqlite-dialect.ts'
import { executeTogether } from '../../src/store/kysely/statement-group.ts'
import { event, message } from './rows.ts'
import { countMessages, withThreads } from './sqlite-rig.ts'

async function openCounted(t: Test) {
  const path = `${t.testdir()}/append.db`
  const { opened, threads } = await withThreads(() =>
    openStore({ url: `sqlite:${path}`, nodeId: 'n', lock: true }),
  )
  t.teardown(() => opened.close())
  const counts = threads.map((thread) => countMessages(thread))
  return { store: opened, path, messages: () => counts.reduce((sum, count) => sum + count(), 0) }
}

await t.test('crosses to the thread twice for a batch, however large', async (t) => {
  const { store, messages } = await openCounted(t)
  for (const size of [1, 300]) {
    const before = messages()
    await store.transact(async (tx) => {
      for (let i = 0; i < size; i += 1) tx.messages.insert(message(`${size}-${i}`))
      await tx.appendEvents(Array.from({ length: size }, (_, i) => event(`/topic/${i % 3}`)))
    })
    t.equal(messages() - before, 2, `${size} messages`)
  }
  t.equal((await store.messages.list({ kind: 'public' }, { limit: 400 })).length, 301)
  t.equal(await store.log.head('/topic/0'), 101)
})

await t.test('stores integers as integers and texts as they are', async (t) => {
  const { store, path } = await openCounted(t)
  const content = 'é\u2028"\\\' 🦊 \u0001 [1,"x"] {"a":1} 12 1.50 true null'
  const { seq } = await store.transact(async (tx) => {
    for (const [i, text] of [content, '', '7', 'null', '[]'].entries()) {
      tx.messages.insert(message(`m${i}`, { content: text }))
    }
    const [appended] = await tx.appendEvents([event('/topic/a', '12')])
    if (appended === undefined) throw new Error('no event')
    return appended
  })
  t.equal((await store.messages.find('m0'))?.content, content)
  const rows = await store.messages.list({ kind: 'public' }, { limit: 9 })
  t.strictSame(
    rows.map((row) => [row.content, row.receiver]),
    ['[]', 'null', '7', '', content].map((text) => [text, null]),
  )
  t.strictSame(await store.log.read('/topic/a', 0, 9), [
    { offset: 1, headers: event('/topic/a').headers, body: '12', createdAt: event('/topic/a').createdAt },
  ])
  t.match(await store.outbox.pending(0, 9), [{ seq, stream: '/topic/a', offset: 1 }])
  const db = new Database(path)
  t.teardown(() => db.close())
  t.strictSame(
    db
      .prepare(
        `select typeof(e."offset") as a, typeof(o."offset") as b, typeof(s.head) as c, typeof(e.body) as d,
          typeof(m.content) as e from events e, outbox o, streams s, messages m where m.id = 'm2'`,
      )
      .all([]),
    [{ a: 'integer', b: 'integer', c: 'integer', d: 'text', e: 'text' }],
  )
})

await t.test('removes outbox rows by one text of SQL, however many', async (t) => {
  const { store } = await openCounted(t)
  const appended = await store.transact((tx) =>
    tx.appendEvents(Array.from({ length: 1500 }, () => event('/topic/a'))),
  )
  await store.outbox.remove(appended.slice(1, -1).map(({ seq }) => seq))
  const left = await store.outbox.pending(0, 2000)
  t.strictSame(
    left.map(({ offset }) => offset),
    [1, 1500],
  )
  t.strictSame(
    left.map(({ seq }) => seq),
    [appended[0]?.seq, appended[1499]?.seq],
  )
})

await t.test('refuses rows that JSON would change', (t) => {
  t.equal(jsonRows([['a', 1, null]]), '[["a",1,null]]')
  for (const value of [undefined, 0.5, Number.NaN, 2 ** 53, true, 1n, new Uint8Array(1), {}, Symbol('x')]) {
    t.throws(() => jsonRows([['a', value]]), TypeError, typeof value)
  }
  t.end()
})

await t.test('tells of the first statement of a group that failed, and answers in order', async (t) => {
  const path = `${t.testdir()}/group.db`
  const db = new Kysely<Schema>({
    dialect: new LibsqlDialect({ path, isReader: false, setup: 'create table one (a integer primary key)' }),
  })
  t.teardown(() => db.destroy())
  const raw = (text: string) => CompiledQuery.raw(text)
  const failed = db
    .transaction()
    .execute((tx) =>
      executeTogether(tx, [
        raw('insert into one values (1)'),
        raw('insert into one values (1)'),
        raw('insert into nothing values (1)'),
      ]),
    )
  await t.rejects(failed, { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' })
  const answers = await db
    .transaction()
    .execute((tx) =>
      executeTogether(tx, [
        raw('insert into one values (5), (6)'),
        raw('select a from one order by a'),
        raw('delete from one where a = 5'),
      ]),
    )
  t.match(answers, [
    { rows: [], insertId: 6n, numAffectedRows: 2n },
    { rows: [{ a: 5 }, { a: 6 }] },
    { numAffectedRows: 1n },
  ])
})

await t.test('says why a transaction could not begin, though more was sent with it', async (t) => {
  const path = `${t.testdir()}/busy.db`
  const setup = 'create table if not exists one (a)'
  const make = () =>
    new Kysely<Schema>({ dialect: new LibsqlDialect({ path, isReader: false, setup, busyTimeoutMs: 1 }) })
  const [db, other] = [make(), make()]
  t.teardown(() => Promise.all([db.destroy(), other.destroy()]))
  const both = [
    CompiledQuery.raw('insert into one values (1)'),
    CompiledQuery.raw('insert into one values (2)'),
  ]
  await other.executeQuery(CompiledQuery.raw('select 1'))
  await db.transaction().execute(async (tx) => {
    await executeTogether(tx, both)
    const failed = other.transaction().execute((tx2) => executeTogether(tx2, both))
    await t.rejects(failed, { code: 'SQLITE_BUSY' })
  })
})
