import t from 'tap'
import { describeDatabaseUrl, parseDatabaseUrl } from '../../src/config/database-url.ts'

const SECRET = 's3cret'

await t.test('reads files, PostgreSQL and MySQL under both of their names', async (t) => {
  t.strictSame(parseDatabaseUrl('sqlite:./data/x y.db'), { kind: 'sqlite', path: './data/x y.db' })
  const url = { host: 'db', user: 'u', password: 'p', database: 'd', tls: 'disable' }
  t.strictSame(parseDatabaseUrl('postgres://u:p@db/d'), { ...url, kind: 'postgres', port: 5432 })
  t.strictSame(parseDatabaseUrl('postgresql://u:p@db:6000/d'), { ...url, kind: 'postgres', port: 6000 })
  t.strictSame(parseDatabaseUrl('mysql://u:p@db/d'), { ...url, kind: 'mysql', port: 3306 })
  t.strictSame(parseDatabaseUrl('mariadb://u:p@db/d'), { ...url, kind: 'mysql', port: 3306 })
})

await t.test('decodes account and database name', async (t) => {
  t.match(parseDatabaseUrl('postgres://us%40er:p%2F%3A%40%3F%C3%BC@[::1]:5/a%20b'), {
    user: 'us@er',
    password: 'p/:@?ü',
    host: '::1',
    port: 5,
    database: 'a b',
  })
  t.match(parseDatabaseUrl('mysql://u@db/d'), { user: 'u', password: '' })
})

await t.test('takes TLS by parameter', async (t) => {
  for (const [parameters, tls] of [
    ['sslmode=disable', 'disable'],
    ['sslmode=require', 'require'],
    ['sslmode=verify-full', 'verify-full'],
    ['ssl=true', 'verify-full'],
    ['ssl=false', 'disable'],
  ]) {
    t.match(parseDatabaseUrl(`mysql://u:p@db/d?${parameters}`), { tls })
  }
})

await t.test('refuses anything else, and never repeats the password', async (t) => {
  for (const url of [
    '',
    'sqlite:',
    'sqlite::memory:',
    'relay.db',
    'http://u:s3cret@db/d',
    'postgres://u:s3cret@db',
    'postgres://u:s3cret@db/',
    'postgres://u:s3cret@db/a/b',
    'postgres://db/d',
    'postgres://u:s3cret@/d',
    'postgres://u:s3cret@db:0/d',
    'postgres://u:s3cret@db:99999/d',
    'postgres://u:s3cret%@db/d',
    'postgres://u:s3cret@db/d%',
    'postgres://u:s3cret@db/d#x',
    'postgres://u:s3cret@db/d?sslmode=prefer',
    'postgres://u:s3cret@db/d?ssl=1',
    'mysql://u:s3cret@db/d?timezone=Z',
    'mysql://u:s3cret@127.0.0.1/d?ssl=true',
    'postgres://u:s3cret@[::1]/d?sslmode=verify-full',
  ]) {
    const fault: unknown = t.throws(() => parseDatabaseUrl(url), { message: /^sqlite:PATH/ }, url)
    t.notMatch(String(fault), SECRET)
    t.notMatch(JSON.stringify(fault), SECRET)
  }
})

await t.test('describes a database without its account', async (t) => {
  t.equal(describeDatabaseUrl('sqlite:./x.db'), 'sqlite:./x.db')
  t.equal(describeDatabaseUrl(`postgresql://u:${SECRET}@db/d?sslmode=require`), 'postgres://db:5432/d')
  t.equal(describeDatabaseUrl(`mysql://u:${SECRET}@[::1]:7/d`), 'mysql://[::1]:7/d')
})
