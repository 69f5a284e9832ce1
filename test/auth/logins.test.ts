import t, { type Test } from 'tap'
import type { AuditEvent } from '../../src/auth/audit.ts'
import { Accounts } from '../../src/auth/accounts.ts'
import { Authenticator } from '../../src/auth/authenticator.ts'
import { Logins } from '../../src/auth/logins.ts'
import { Passwords } from '../../src/auth/passwords.ts'
import { Tokens } from '../../src/auth/tokens.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'

const tokens = new Tokens({ secret: 'x'.repeat(32) })

async function open(t: Test, registration = true) {
  const store = await openStore({ url: `sqlite:${t.testdir()}/relay.db`, nodeId: 'n', lock: false })
  t.teardown(() => store.close())
  const accounts = new Accounts({ store, demo: true, passwords: new Passwords({ cost: 1024 }) })
  const ended: (readonly [user: string, ids: readonly string[], everywhere: boolean])[] = []
  const events: string[] = []
  const audit = {
    record: ({ kind, user, about = '' }: AuditEvent) => void events.push(`${kind} ${user} ${about}`.trim()),
    recordFailedLogin: (name: string, address = '') => void events.push(`failed ${name} ${address}`.trim()),
  }
  const onEnded = (...each: (typeof ended)[number]): void => void ended.push(each)
  const logins = new Logins({ store, accounts, tokens, audit, onEnded, registration })
  const authenticator = new Authenticator({ accounts, tokens, isAlive: async (id) => logins.isAlive(id) })
  return { store, accounts, logins, authenticator, ended, events }
}

await t.test('registers a user, who is logged in by it', async (t) => {
  const { logins, authenticator } = await open(t)
  const grant = await logins.register('carol', 's3cret phrase')
  t.strictSame(grant.user, { name: 'carol', roles: ['user'] })
  t.equal(grant.expiresIn, 900)
  const principal = await authenticator.authenticate({ bearer: grant.accessToken })
  t.match(principal, { name: 'carol', roles: ['user'], loginId: String })
  t.ok(Math.abs((principal?.expiresAtMs ?? 0) - Date.now() - 900_000) < 60_000)
  await t.rejects(logins.register('carol', 'another phrase'), { code: 'conflict' })
  await t.rejects(logins.register('alice', 'a demo account'), { code: 'conflict' })
  await t.rejects(logins.register('dora', 'short'), { code: 'invalid-payload' })
  await t.rejects(logins.register('a/b', 's3cret phrase'), { code: 'invalid-payload' })
  t.equal((await logins.login('carol', 's3cret phrase'))?.user.name, 'carol')
  t.equal(await logins.login('carol', 'wrong'), undefined)
  t.equal(await logins.login('dora', 's3cret phrase'), undefined)
})

await t.test('lets no stranger take a name where registration is off', async (t) => {
  const { logins, accounts } = await open(t, false)
  await t.rejects(logins.register('carol', 's3cret phrase'), { code: 'forbidden' })
  t.equal(await accounts.find('carol'), undefined)
  t.ok(await logins.login('alice', 'alice'), 'who has an account logs in')
})

await t.test(
  'begins no login by a password that is changed meanwhile, and tells nothing of it',
  async (t) => {
    const { accounts, logins, store } = await open(t)
    await accounts.create({ name: 'carol', password: 'the old one', roles: ['user'] })
    const grant = (await logins.login('carol', 'the old one'))!
    t.strictSame(grant.user, { name: 'carol', roles: ['user'] })
    const create = store.logins.create.bind(store.logins)
    store.logins.create = async (row) => {
      await accounts.setPassword('carol', 'the new one')
      await create(row)
    }
    t.equal(await logins.login('carol', 'the old one'), undefined)
    t.same(await store.logins.ofUser('carol'), [])
  },
)

await t.test('exchanges a refresh token once, and ends the login where it comes again', async (t) => {
  const { logins, authenticator, ended, events } = await open(t)
  const first = (await logins.login('alice', 'alice'))!
  const other = (await logins.login('alice', 'alice'))!
  const second = (await logins.refresh(first.refreshToken))!
  t.not(second.refreshToken, first.refreshToken)
  const third = (await logins.refresh(second.refreshToken))!
  t.ok(await authenticator.authenticate({ bearer: first.accessToken }), 'it is good for its 15 minutes')
  t.strictSame(ended, [])
  t.equal(await logins.refresh(first.refreshToken), undefined, 'used up')
  for (const { accessToken, refreshToken } of [first, second, third]) {
    t.equal(
      await authenticator.authenticate({ bearer: accessToken }),
      undefined,
      'nothing of the login is good',
    )
    t.equal(await logins.refresh(refreshToken), undefined)
  }
  t.equal(ended.length, 1)
  t.match(ended[0], ['alice', [String]])
  t.strictSame(events, ['login alice', 'login alice', 'token-reused alice'])
  t.ok(await logins.refresh(other.refreshToken), 'the other login of the same user lasts')
})

await t.test('lets one of two exchanges at the same time win, and takes the other for a theft', async (t) => {
  const { logins, ended } = await open(t)
  const { refreshToken } = (await logins.login('bob', 'bob'))!
  const both = await Promise.all([logins.refresh(refreshToken), logins.refresh(refreshToken)])
  t.equal(both.filter((grant) => grant !== undefined).length, 1)
  t.equal(ended.length, 1)
})

await t.test('takes neither kind of token for the other, and none that is made up or over', async (t) => {
  const { logins, authenticator } = await open(t)
  const { accessToken, refreshToken } = (await logins.login('bob', 'bob'))!
  t.equal(await authenticator.authenticate({ bearer: refreshToken }), undefined)
  const over = await tokens.signRefresh({ loginId: 'x', turn: 0 }, new Date(Date.now() - 60_000))
  const unknown = await tokens.signRefresh({ loginId: 'x', turn: 0 }, new Date(Date.now() + 60_000))
  const other = new Tokens({ secret: 'y'.repeat(32) })
  const forged = await other.signRefresh({ loginId: 'x', turn: 0 }, new Date(Date.now() + 60_000))
  for (const token of [accessToken, over, unknown, forged, 'noise']) {
    t.equal(await logins.refresh(token), undefined)
    t.equal((await logins.loginOf(token))?.id, undefined)
  }
  t.ok(await logins.refresh(refreshToken), 'nothing of this has harmed the login')
})

await t.test('gives the roles that the account has when the token is exchanged', async (t) => {
  const { logins, accounts } = await open(t)
  const { refreshToken } = (await logins.login('guest', 'guest'))!
  await accounts.create({ name: 'guest', password: 's3cret phrase', roles: ['admin'] })
  t.strictSame((await logins.refresh(refreshToken))?.user, { name: 'guest', roles: ['admin'] })
})

await t.test('ends one login, or all of a user', async (t) => {
  const { logins, authenticator, ended } = await open(t)
  const grants = await Promise.all([1, 2, 3].map(async () => logins.login('alice', 'alice')))
  const bob = (await logins.login('bob', 'bob'))!
  const works = async (): Promise<boolean[]> =>
    Promise.all(
      grants.map(
        async (grant) => (await authenticator.authenticate({ bearer: grant!.accessToken })) !== undefined,
      ),
    )
  await logins.logout((await logins.loginOf(grants[0]!.refreshToken))!, { everywhere: false })
  t.strictSame(await works(), [false, true, true])
  const second = (await logins.loginOf(grants[1]!.refreshToken))!
  await logins.logout(second, { everywhere: true })
  await logins.logout(second, { everywhere: true })
  t.strictSame(await works(), [false, false, false])
  t.equal(new Set(ended.flatMap(([, ids]) => ids)).size, 3)
  t.strictSame(
    ended.map(([, , everywhere]) => everywhere),
    [false, true, true],
  )
  t.ok(await authenticator.authenticate({ bearer: bob.accessToken }), 'nobody else')
})

await t.test('keeps a hundred logins of a user, and ends the oldest beyond', async (t) => {
  const { logins, store, ended } = await open(t)
  const row = { user: 'alice', turn: 0, expiresAt: '2999-01-01T00:00:00.000Z' }
  for (let i = 0; i < 100; i++) {
    await store.logins.create({
      ...row,
      id: `old-${i}`,
      createdAt: `2020-01-01T00:00:00.${String(i).padStart(3, '0')}Z`,
    })
  }
  await logins.login('alice', 'alice')
  t.strictSame(ended, [['alice', ['old-0'], false]])
  t.equal((await store.logins.ofUser('alice')).length, 100)
})
