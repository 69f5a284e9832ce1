import t from 'tap'
import { toSqlite } from '../../src/store/kysely/sqlite-values.ts'

await t.test('converts what SQLite has a value for', async (t) => {
  t.equal(toSqlite('text'), 'text')
  t.equal(toSqlite(null), null)
  t.equal(toSqlite(7), 7n)
  t.equal(toSqlite(-(2 ** 53) + 1), -9007199254740991n)
  t.equal(toSqlite(0.5), 0.5)
  t.equal(toSqlite(2n ** 63n - 1n), 2n ** 63n - 1n)
  t.strictSame(toSqlite(new Uint8Array([1, 2, 3]).subarray(1)), new Uint8Array([2, 3]))
})

await t.test('copies bytes out of a pool, which would cross to another thread as a whole', async (t) => {
  const bytes = toSqlite(Buffer.from('pooled'))
  if (!(bytes instanceof Uint8Array)) throw new Error('not bytes')
  t.equal(bytes.buffer.byteLength, 6)
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
