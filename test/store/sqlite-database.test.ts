import t from 'tap'
import { SqliteConnection, toSqlite } from '../../src/store/kysely/sqlite-database.ts'

await t.test('converts what SQLite has a value for', async (t) => {
  t.equal(toSqlite('text'), 'text')
  t.equal(toSqlite(null), null)
  t.equal(toSqlite(7), 7n)
  t.equal(toSqlite(-(2 ** 53) + 1), -9007199254740991n)
  t.equal(toSqlite(0.5), 0.5)
  t.equal(toSqlite(2n ** 63n - 1n), 2n ** 63n - 1n)
  t.strictSame(toSqlite(new Uint8Array([1, 2, 3]).subarray(1)), Buffer.from([2, 3]))
})

await t.test('refuses what libsql would store as NULL or end the process for', async (t) => {
  for (const value of [
    true,
    false,
    undefined,
    NaN,
    Infinity,
    2n ** 63n,
    {},
    [],
    new Date(),
    Symbol('s'),
    () => 1,
  ]) {
    t.throws(() => toSqlite(value), TypeError)
  }
})

await t.test('refuses a statement with too few or too many parameters', async (t) => {
  const db = new SqliteConnection(`${t.testdir()}/x.db`, { busyTimeoutMs: 100 })
  t.teardown(() => db.close())
  db.exec('create table pair (a, b)')
  const insert = db.prepare('insert into pair values (?, ?)')
  t.throws(() => insert.run(['a']), TypeError)
  t.throws(() => insert.run(['a', 'b', 'c']), TypeError)
  t.throws(() => insert.run(['a', true]), TypeError)
  insert.run(['a', 1])
  const select = db.prepare('select a, b, typeof(b) as type from pair where a = ?')
  t.strictSame(select.all(['a']), [{ a: 'a', b: 1, type: 'integer' }])
  t.strictSame([...select.iterate(['a'])], [{ a: 'a', b: 1, type: 'integer' }])
})

await t.test('prepares a statement once, and forgets the one used longest ago', async (t) => {
  const db = new SqliteConnection(`${t.testdir()}/x.db`, { busyTimeoutMs: 100 })
  t.teardown(() => db.close())
  const first = db.prepare('select 1')
  const second = db.prepare('select 2')
  t.equal(db.prepare('select 1'), first)
  for (let i = 3; i <= 201; i += 1) db.prepare(`select ${i}`)
  t.equal(db.prepare('select 1'), first, 'used lately')
  t.not(db.prepare('select 2'), second)
  db.close()
  db.close()
})
