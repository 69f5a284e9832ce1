import t from 'tap'
import { toMysql } from '../../src/store/kysely/mysql-values.ts'
import { fromPostgres, toPostgres } from '../../src/store/kysely/postgres-values.ts'

const BYTES = new Uint8Array([1, 2, 3]).subarray(1)

for (const [name, convert] of Object.entries({ toPostgres, toMysql })) {
  await t.test(`${name} takes texts, numbers, bytes and null`, async (t) => {
    t.equal(convert('text'), 'text')
    t.equal(convert(null), null)
    t.equal(convert(7), 7)
    t.equal(convert(0.5), 0.5)
    t.equal(convert(2n ** 63n - 1n), '9223372036854775807')
    t.strictSame(convert(BYTES), Buffer.from([2, 3]))
  })

  await t.test(`${name} refuses what the driver would make something of`, async (t) => {
    for (const value of [
      undefined,
      NaN,
      Infinity,
      {},
      new Date(),
      Symbol('s'),
      () => 1,
      { toSqlString: () => '1' },
    ]) {
      t.throws(() => convert(value), TypeError)
    }
    for (const text of ['a\0b', '\ud800', '\udc00'])
      t.throws(() => convert(text), { code: 'invalid-payload' })
  })
}

await t.test('toMysql refuses lists and booleans, which mysql2 makes SQL of', async (t) => {
  t.throws(() => toMysql(['a']), TypeError)
  t.throws(() => toMysql(true), TypeError)
})

await t.test('toPostgres takes lists, of such values only', async (t) => {
  t.strictSame(toPostgres(['a', null, BYTES]), ['a', null, Buffer.from([2, 3])])
  t.throws(() => toPostgres(['a', undefined]), TypeError)
  t.throws(() => toPostgres(['a\0']), { code: 'invalid-payload' })
})

await t.test(
  'fromPostgres reads 64-bit numbers as numbers, and refuses those that are none here',
  async (t) => {
    t.equal(fromPostgres(20)('-9007199254740991'), -9007199254740991)
    t.throws(() => fromPostgres(20)('9007199254740992'), RangeError)
    t.equal(fromPostgres(25)('9007199254740992'), '9007199254740992')
    t.strictSame(fromPostgres(17)('\\x0203'), Buffer.from([2, 3]))
  },
)
