import { CompiledQuery, Kysely, sql } from 'kysely'
import t, { type Test } from 'tap'
import { LibsqlDialect, type LibsqlDialectOptions } from '../../src/store/kysely/sqlite-dialect.ts'
import { countMessages, withThreads } from './sqlite-rig.ts'

interface Tables {
  readonly one: { readonly a: number; readonly note: string | null }
}

const SETUP = 'pragma journal_mode = wal; create table if not exists one (a integer primary key, note text)'

async function connect(t: Test, options: Partial<LibsqlDialectOptions> = {}) {
  const path = options.path ?? `${t.testdir()}/x.db`
  const db = new Kysely<Tables>({
    dialect: new LibsqlDialect({ isReader: false, setup: SETUP, busyTimeoutMs: 1, ...options, path }),
  })
  t.teardown(() => db.destroy())
  const { threads } = await withThreads(() => sql`select 1`.execute(db))
  const [worker] = threads
  if (worker === undefined) throw new Error('no thread was started')
  return { db, path, messages: countMessages(worker) }
}

const insert = (db: Kysely<Tables>, a: number) => db.insertInto('one').values({ a, note: null }).execute()
const all = async (db: Kysely<Tables>) => (await db.selectFrom('one').select('a').execute()).map(({ a }) => a)

await t.test('tells how many rows a statement changed, and the last of them', async (t) => {
  const { db } = await connect(t)
  const [inserted] = await insert(db, 7)
  t.match(inserted, { insertId: 7n, numInsertedOrUpdatedRows: 1n })
  t.match(await db.deleteFrom('one').where('a', '=', 7).executeTakeFirst(), { numDeletedRows: 1n })
  t.strictSame(await all(db), [])
})

await t.test('commits and rolls back, with the lock for writing from the first statement', async (t) => {
  const { db, path } = await connect(t)
  const other = await connect(t, { path })
  await db.transaction().execute(async (tx) => {
    t.strictSame(await all(tx), [])
    await t.rejects(insert(other.db, 1), { code: 'SQLITE_BUSY' })
    await insert(tx, 2)
  })
  const failed = db.transaction().execute(async (tx) => {
    await insert(tx, 3)
    throw new Error('no')
  })
  await t.rejects(failed, { message: 'no' })
  await insert(other.db, 4)
  t.strictSame(await all(db), [2, 4])
})

await t.test('sends the beginning of a transaction with its first statement', async (t) => {
  const { db, messages } = await connect(t)
  await db.transaction().execute((tx) => insert(tx, 1))
  t.equal(messages(), 2)
  await db.transaction().execute(() => Promise.resolve())
  t.equal(messages(), 3, 'beginning and end at once where there is nothing between')
  await t.rejects(db.transaction().execute(() => Promise.reject(new Error('no'))))
  t.equal(messages(), 3)
})

await t.test('stores nothing of a transaction that could not begin', async (t) => {
  const { db, path } = await connect(t)
  const other = await connect(t, { path })
  await db.transaction().execute(async (tx) => {
    await insert(tx, 1)
    await t.rejects(
      other.db.transaction().execute((tx2) => insert(tx2, 2)),
      { code: 'SQLITE_BUSY' },
    )
  })
  await other.db.transaction().execute((tx) => insert(tx, 3))
  t.strictSame(await all(db), [1, 3])
})

await t.test('stores nothing of a transaction that SQLite has ended', async (t) => {
  const { db } = await connect(t)
  const ended = db.transaction().execute(async (tx) => {
    await insert(tx, 1)
    await t.rejects(sql`insert or rollback into one values (1, null)`.execute(tx), /UNIQUE/)
    await t.rejects(insert(tx, 2), { message: 'the transaction is over' })
  })
  await t.rejects(ended, { message: 'the transaction is over' })
  await db.transaction().execute((tx) => insert(tx, 3))
  t.strictSame(await all(db), [3])
})

await t.test('rolls back where the commit fails', async (t) => {
  const { db, path } = await connect(t, {
    setup: `${SETUP}; pragma foreign_keys = on;
      create table two (a references one (a) deferrable initially deferred)`,
  })
  const failed = db.transaction().execute((tx) => sql`insert into two values (9)`.execute(tx))
  await t.rejects(failed, { code: 'SQLITE_CONSTRAINT_FOREIGNKEY' })
  const other = await connect(t, { path })
  await insert(other.db, 1) // or it would find the file locked
  t.match(await sql`select count(*) as n from two`.execute(db), { rows: [{ n: 0 }] })
})

await t.test('goes on after a transaction with a value that SQLite does not have', async (t) => {
  const { db } = await connect(t)
  const failed = db.transaction().execute((tx) => insert(tx, Number.NaN))
  await t.rejects(failed, TypeError)
  await db.transaction().execute((tx) => insert(tx, 1))
  t.strictSame(await all(db), [1])
})

await t.test('rolls back what was abandoned because the answer came late', async (t) => {
  const { db, path } = await connect(t, { busyTimeoutMs: 60_000, statementTimeoutMs: 300 })
  const owner = await connect(t, { path })
  let failed: Promise<unknown> | undefined
  await owner.db.transaction().execute(async (tx) => {
    await insert(tx, 1)
    failed = db.transaction().execute((late) => insert(late, 2))
    await t.rejects(failed, /has not answered/)
  })
  t.strictSame(await firstAnswer(() => all(db)), [1])
  await insert(owner.db, 3)
})

/** The thread is late until it has answered what was abandoned. */
async function firstAnswer<R>(question: () => Promise<R>): Promise<R> {
  for (;;) {
    const answer = await question().catch(() => undefined)
    if (answer !== undefined) return answer
    await new Promise((resolve) => setImmediate(resolve))
  }
}

await t.test('keeps other statements out of a transaction, in their order and within a bound', async (t) => {
  const { db } = await connect(t, { maxWaiting: 2 })
  const order: string[] = []
  const waiting: Promise<unknown>[] = []
  await db.transaction().execute(async (tx) => {
    await insert(tx, 1)
    waiting.push(insert(db, 2).then(() => order.push('first')))
    waiting.push(insert(db, 3).then(() => order.push('second')))
    await t.rejects(insert(db, 4), { message: 'too many transactions are waiting' })
    t.strictSame(await all(tx), [1])
    order.push('transaction')
  })
  await Promise.all(waiting)
  t.strictSame(order, ['transaction', 'first', 'second'])
  t.strictSame(await all(db), [1, 2, 3])
})

await t.test('lets questions of readers overtake a transaction, and go together', async (t) => {
  const { db, path } = await connect(t)
  const reader = await connect(t, { path, isReader: true, setup: 'pragma query_only = on' })
  await db.transaction().execute(async (tx) => {
    await insert(tx, 1)
    t.strictSame(await Promise.all([all(reader.db), all(reader.db)]), [[], []])
    t.equal(reader.messages(), 1)
  })
  await t.rejects(insert(reader.db, 2), { message: /readonly/ })
  await t.rejects(
    reader.db.transaction().execute(() => Promise.resolve()),
    { message: 'a reader has no transactions' },
  )
})

await t.test('opens with the first statement, and closes once', async (t) => {
  const path = `${t.testdir()}/x.db`
  const dialect = new LibsqlDialect({ path: `${path}/none`, isReader: false, setup: SETUP })
  const broken = new Kysely<Tables>({ dialect })
  await t.rejects(all(broken), { name: 'SqliteError', message: /Unable to open/ })
  await broken.destroy()
  const { db } = await connect(t, { path })
  const last = insert(db, 1)
  await last
  await Promise.all([db.destroy(), db.destroy()])
  await t.rejects(all(db), /destroyed/)
})

await t.test('does not stream, and has the introspection that migrations need', async (t) => {
  const { db } = await connect(t)
  const stream = db.getExecutor().stream(CompiledQuery.raw('select 1'), 1)
  await t.rejects(stream.next(), { message: 'answers of SQLite are not streamed' })
  t.match(await db.introspection.getTables(), [{ name: 'one' }])
})
