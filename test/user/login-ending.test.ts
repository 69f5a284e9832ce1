import t, { type Test } from 'tap'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { credentialOf } from '../../src/auth/credential.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import { LoginEnding } from '../../src/user/login-ending.ts'
import { SessionRegistry, type RegisteredSession } from '../../src/user/session-registry.ts'
import { until } from '../support/until.ts'

const AT = '2030-01-31T09:30:00.000Z'

async function open(t: Test, options: { compareMs?: number; isDeaf?: boolean } = {}) {
  const store = await openStore({ url: `sqlite:${t.testdir()}/relay.db`, nodeId: 'n', lock: false })
  t.teardown(() => store.close())
  const broker = createMemoryBroker()
  t.teardown(() => broker.close())
  const registry = new SessionRegistry({ maxPerUser: 20 })
  const warnings: string[] = []
  const log = { warn: (fields: { event: string }) => void warnings.push(fields.event) }
  const control =
    options.isDeaf === true ? async () => Promise.reject(new Error('away')) : broker.control.bind(broker)
  const ending = new LoginEnding({
    registry,
    store,
    broker: { control, onControl: broker.onControl.bind(broker) },
    log,
    compareMs: options.compareMs ?? 3_600_000,
  })
  t.teardown(() => ending.close())
  const ended: string[] = []
  const add = (id: string, name: string, loginId?: string, credential?: string): void => {
    const session: RegisteredSession = {
      id,
      view: {
        principal: {
          name,
          roles: ['user'],
          ...(loginId !== undefined && { loginId }),
          ...(credential !== undefined && { credential }),
        },
      },
      peer: { transport: 'stomp', remoteAddress: '127.0.0.1' },
      shutDown: () => undefined,
      expel: (why) => {
        ended.push(`${id}: ${why}`)
        registry.remove(session)
      },
    }
    registry.add(session)
  }
  return { store, broker, ending, ended, add, warnings }
}

await t.test('ends the sessions of a login, and no others', async (t) => {
  const { ending, ended, add } = await open(t)
  add('1', 'alice', 'one')
  add('2', 'alice', 'one')
  add('3', 'alice', 'two')
  add('4', 'alice')
  add('5', 'bob', 'one')
  ending.end('alice', ['one', 'none'])
  t.strictSame(ended, ['1: the user logged out', '2: the user logged out'])
})

await t.test('ends what came by a passcode too, where the user logs out everywhere', async (t) => {
  const { broker, ending, ended, add } = await open(t)
  for (const id of ['1', '2']) {
    add(id, 'alice')
    add(`${id} b`, 'bob')
    add(`${id} kept`, 'alice', 'a login that began meanwhile')
    if (id === '1') ending.end('alice', ['one'], true)
    else await broker.control({ kind: 'end-user', body: 'alice one' })
  }
  await until(() => ended.length > 1)
  t.strictSame(ended, ['1: the user logged out', '2: the user logged out'])
})

await t.test('hears of it from other nodes', async (t) => {
  const { broker, ended, add } = await open(t)
  add('1', 'alice', 'one')
  add('2', 'alice', 'two')
  await broker.control({ kind: 'something else', body: 'alice one' })
  await broker.control({ kind: 'end-logins', body: 'alice two three' })
  await until(() => ended.length > 0)
  t.strictSame(ended, ['2: the user logged out'])
})

await t.test('ends them here though nobody else can be told', async (t) => {
  const { ending, ended, add, warnings } = await open(t, { isDeaf: true })
  add('1', 'alice', 'one')
  ending.end('alice', ['one'])
  t.equal(ended.length, 1)
  await until(() => warnings.length > 0)
  t.strictSame(warnings, ['logout-untold'])
})

await t.test('finds out by itself what it was not told, and forgets logins that are over', async (t) => {
  const { store, ending, ended, add } = await open(t, { compareMs: 10 })
  const login = { user: 'alice', turn: 0, createdAt: AT, expiresAt: '2999-01-01T00:00:00.000Z' }
  await store.logins.create({ ...login, id: 'two' })
  await store.logins.create({ ...login, id: 'over', expiresAt: '2020-01-01T00:00:00.000Z' })
  add('1', 'alice', 'one')
  add('2', 'alice', 'two')
  add('3', 'alice')
  for (let i = 0; i < 19; i++) for (let j = 0; j < 30; j++) add(`m${i}-${j}`, `u${j}`, `many-${i}-${j}`)
  ending.start()
  await until(() => ended.length >= 571)
  t.ok(ended.includes('1: the user logged out'))
  await until(async () => (await store.logins.find('over')) === null)
  t.equal(ended.length, 571, 'those that last stay')
})

await t.test('ends the sessions of a password that was changed, or whose account is no more', async (t) => {
  const { store, ending, ended, add } = await open(t, { compareMs: 10 })
  const account = { passwordHash: 'one', roles: ['user'], createdAt: AT }
  for (const name of ['alice', 'bob']) await store.accounts.create({ ...account, name })
  add('1', 'alice', undefined, credentialOf('one'))
  add('2', 'bob', undefined, credentialOf('one'))
  add('3', 'bob')
  add('4', 'carol', undefined, credentialOf('one'))
  ending.start()
  await until(() => ended.length > 0)
  t.strictSame(ended, ['4: the password was changed'])
  await store.accounts.setPasswordHash('bob', 'two')
  await until(() => ended.length > 1)
  add('5', 'bob', undefined, credentialOf('two'))
  await store.accounts.setPasswordHash('alice', '')
  await until(() => ended.length > 2)
  t.strictSame(ended.slice(1), ['2: the password was changed', '1: the password was changed'])
})

await t.test('says that it cannot compare, and goes on', async (t) => {
  const { store, ending, warnings } = await open(t, { compareMs: 10 })
  await store.close()
  ending.start()
  await until(() => warnings.length > 1)
  t.match(warnings, ['logins-not-compared', 'logins-not-compared'])
})
