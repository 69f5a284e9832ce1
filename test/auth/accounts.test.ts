import t, { type Test } from 'tap'
import { Accounts, DEMO_ACCOUNTS } from '../../src/auth/accounts.ts'
import { Authenticator } from '../../src/auth/authenticator.ts'
import { NameGuard } from '../../src/auth/name-guard.ts'
import { Passwords } from '../../src/auth/passwords.ts'
import { Tokens } from '../../src/auth/tokens.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'

async function open(t: Test, demo: boolean) {
  const store = await openStore({ url: `sqlite:${t.testdir()}/relay.db`, nodeId: 'n', lock: false })
  t.teardown(() => store.close())
  return { store, accounts: new Accounts({ store, demo, passwords: new Passwords({ cost: 1024 }) }) }
}

await t.test('verifies an account that was made', async (t) => {
  const { store, accounts } = await open(t, false)
  await accounts.create({ name: 'root', password: 's3cret', roles: ['admin', 'admin', 'user'] })
  t.match(await accounts.verify('root', 's3cret'), { name: 'root', roles: ['admin', 'user'] })
  t.equal(await accounts.verify('root', 'wrong'), undefined)
  t.equal(await accounts.verify('Root', 's3cret'), undefined)
  t.equal(await accounts.verify('nobody', 's3cret'), undefined)
  t.equal(await accounts.verify('a/b\0', 'a/b\0'), undefined)
  t.notMatch((await store.accounts.find('root'))?.passwordHash, /s3cret/)
  await t.rejects(accounts.create({ name: 'root', password: 'other', roles: ['user'] }), { code: 'conflict' })
  t.ok(await accounts.verify('root', 's3cret'), 'the first one stays')
})

await t.test('refuses to make what cannot be', async (t) => {
  const { accounts } = await open(t, false)
  const good = { name: 'x', password: 'y', roles: ['user'] as const }
  for (const bad of [
    { name: '' },
    { name: 'a b' },
    { name: 'x'.repeat(65) },
    { password: '' },
    { roles: [] },
  ]) {
    await t.rejects(accounts.create({ ...good, ...bad }), { code: 'invalid-payload' })
  }
})

await t.test('knows the demo accounts where they are on, and keeps them out of the database', async (t) => {
  const { store, accounts } = await open(t, true)
  t.strictSame(
    DEMO_ACCOUNTS.map(({ name, roles }) => `${name} ${roles.join()}`),
    ['alice user', 'bob user', 'orders service', 'admin admin', 'guest service'],
  )
  for (const account of DEMO_ACCOUNTS) {
    t.strictSame(await accounts.verify(account.name, account.name), account)
    t.equal(await accounts.verify(account.name, 'wrong'), undefined)
    t.equal(await store.accounts.find(account.name), null)
  }
  t.equal(await accounts.verify('carol', 'carol'), undefined)
})

await t.test('knows no demo accounts where they are off', async (t) => {
  const { accounts } = await open(t, false)
  t.equal(await accounts.verify('admin', 'admin'), undefined)
})

await t.test('lets a stored account replace the demo account of its name', async (t) => {
  const { accounts } = await open(t, true)
  await accounts.create({ name: 'admin', password: 's3cret', roles: ['user'] })
  t.equal(await accounts.verify('admin', 'admin'), undefined)
  t.match(await accounts.verify('admin', 's3cret'), { name: 'admin', roles: ['user'] })
})

await t.test('changes a password, and lets nobody in by the old one or by a login', async (t) => {
  const { store, accounts } = await open(t, true)
  await accounts.create({ name: 'carol', password: 'the old one', roles: ['user'] })
  const login = { user: 'carol', turn: 0, createdAt: '', expiresAt: '2999-01-01T00:00:00.000Z' }
  await store.logins.create({ ...login, id: 'one' })
  await store.logins.create({ ...login, id: 'two', user: 'dora' })
  const before = (await accounts.verify('carol', 'the old one'))!
  t.equal(await accounts.isCurrent(before), true)
  await accounts.setPassword('carol', 'the new one')
  t.equal(await accounts.verify('carol', 'the old one'), undefined)
  t.equal(await accounts.isCurrent(before), false)
  t.same([...(await store.logins.living(['one', 'two']))], ['two'])
  t.match(await accounts.verify('carol', 'the new one'), { name: 'carol', roles: ['user'] })
  t.equal(await accounts.isCurrent({ name: 'alice', roles: ['user'] }), true, 'who came by no password')
  await t.rejects(accounts.setPassword('nobody', 'the new one'), { code: 'not-found' })
  await t.rejects(accounts.setPassword('alice', 'the new one'), { code: 'not-found' }, 'a demo account')
  await t.rejects(accounts.setPassword('carol', ''), { code: 'invalid-payload' })
})

await t.test('lets nobody in by a disabled account, whose name stays taken', async (t) => {
  const { store, accounts } = await open(t, false)
  await accounts.create({ name: 'carol', password: 's3cret', roles: ['user'] })
  const login = { id: 'one', user: 'carol', turn: 0, createdAt: '', expiresAt: '2999-01-01T00:00:00.000Z' }
  await store.logins.create(login)
  await accounts.disable('carol')
  for (const password of ['s3cret', '', 'carol']) t.equal(await accounts.verify('carol', password), undefined)
  t.equal(await accounts.find('carol'), undefined)
  t.equal((await store.logins.living(['one'])).size, 0)
  const again = accounts.create({ name: 'carol', password: 's3cret', roles: ['user'] })
  await t.rejects(again, { code: 'conflict' })
  await accounts.setPassword('carol', 'another')
  t.match(await accounts.verify('carol', 'another'), { name: 'carol' }, 'until it has a password again')
  await t.rejects(accounts.disable('nobody'), { code: 'not-found' })
})

await t.test('looks at no more passwords of a name that too many have guessed at', async (t) => {
  const { accounts, store } = await open(t, false)
  await accounts.create({ name: 'carol', password: 's3cret', roles: ['user'] })
  const guarded = new Accounts({
    store,
    demo: false,
    passwords: new Passwords({ cost: 1024 }),
    guard: new NameGuard({ max: 2 }),
  })
  const home = { address: '192.0.2.1' }
  t.ok(await guarded.verify('carol', 's3cret', home))
  for (const name of ['carol', 'nobody']) {
    for (const i of [2, 3]) {
      t.equal(await guarded.verify(name, 'guess', { address: `192.0.2.${i}` }), undefined)
    }
    await t.rejects(guarded.verify(name, 's3cret', { address: '192.0.2.4' }), { code: 'rate-limited' }, name)
  }
  t.ok(await guarded.verify('carol', 's3cret', home), 'from where she logged in before')
  t.equal(await guarded.verify('dora', 'guess', { ...home, isAbandoned: () => true }), undefined)
})

await t.test('rejects where a stored account has roles that do not exist', async (t) => {
  const { store, accounts } = await open(t, false)
  const passwordHash = await new Passwords({ cost: 1024 }).hash('x')
  await store.accounts.create({ name: 'old', passwordHash, roles: ['wizard'], createdAt: '' })
  await t.rejects(accounts.verify('old', 'x'), { code: 'internal' })
})

await t.test('authenticates by bearer token, or by login and passcode', async (t) => {
  const { store, accounts } = await open(t, true)
  const tokens = new Tokens({ secret: 'x'.repeat(32) })
  const authenticator = new Authenticator({ accounts, tokens, isAlive: async () => true })
  const bearer = await tokens.sign({ name: 'carol', roles: ['service'] }, 60)
  t.match(await authenticator.authenticate({ bearer }), {
    name: 'carol',
    roles: ['service'],
    expiresAtMs: Number,
  })
  t.match(await authenticator.authenticate({ bearer, login: 'bob', passcode: 'bob' }), { name: 'carol' })
  t.strictSame(await authenticator.authenticate({ login: 'bob', passcode: 'bob' }), {
    name: 'bob',
    roles: ['user'],
  })
  const refused = [
    {},
    { bearer: 'x' },
    { bearer: 'x', login: 'bob', passcode: 'bob' },
    { login: 'bob' },
    { passcode: 'bob' },
    { login: 'bob', passcode: 'alice' },
  ]
  for (const credentials of refused) t.equal(await authenticator.authenticate(credentials), undefined)
  await accounts.create({ name: 'dora', password: 's3cret', roles: ['user'] })
  const dora = { login: 'dora', passcode: 's3cret' }
  t.match(await authenticator.authenticate(dora, { isAbandoned: () => false }), { name: 'dora' })
  t.equal(await authenticator.authenticate(dora, { isAbandoned: () => true }), undefined, 'she has left')
  await store.close()
  await t.rejects(authenticator.authenticate({ login: 'bob', passcode: 'bob' }), {
    code: 'store-unavailable',
  })
})
