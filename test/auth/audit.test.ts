import t, { type Test } from 'tap'
import { AuditGate } from '../../src/auth/audit-gate.ts'
import { Accounts } from '../../src/auth/accounts.ts'
import { Audit, type AuditOptions } from '../../src/auth/audit.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import type { AuditRow } from '../../src/store/store.ts'
import { until } from '../support/until.ts'

async function open(t: Test, options: Partial<AuditOptions> = {}) {
  const store = await openStore({ url: `sqlite:${t.testdir()}/relay.db`, nodeId: 'n', lock: false })
  t.teardown(() => store.close())
  const logged: Record<string, unknown>[] = []
  const note = (fields: Record<string, unknown>): void => void logged.push(fields)
  const log = { info: note, warn: note }
  const accounts = new Accounts({ store, demo: true })
  const audit = new Audit({ store, log, nodeId: 'n', accounts, intervalMs: 3_600_000, ...options })
  t.teardown(() => audit.close())
  const rows = async (): Promise<readonly AuditRow[]> => {
    await audit.settled()
    return store.audit.list({}, { limit: 10_000 })
  }
  return { store, audit, logged, rows }
}

await t.test('writes an event to the log and to the store', async (t) => {
  const { audit, logged, rows } = await open(t)
  audit.record({ kind: 'refused', user: 'carl', address: '192.0.2.7', about: 'SEND /topic/x' })
  audit.record({ kind: 'connect-refused' })
  const [second, first] = await rows()
  const said = { kind: 'refused', user: 'carl', address: '192.0.2.7', about: 'SEND /topic/x' }
  t.match(first, { id: String, at: /Z$/, node: 'n', omitted: 0, ...said })
  t.match(second, { kind: 'connect-refused', user: '', address: '', about: '' })
  t.strictSame(
    logged.map((fields) =>
      Object.fromEntries(Object.entries(fields).filter(([name]) => name !== 'id' && name !== 'at')),
    ),
    [
      { event: 'audit', ...said },
      { event: 'audit', kind: 'connect-refused' },
    ],
  )
})

await t.test('writes nothing that a terminal would act on, or that would begin another line', async (t) => {
  const { audit, rows } = await open(t)
  const nasty = 'a\nb\r\u001b[2J\u0000\u009b\u2028\u2029\u202e\ud800\u200b'
  audit.record({ kind: 'refused', about: nasty, address: nasty, user: 'x'.repeat(1000) })
  const [row] = await rows()
  t.equal(row?.about, 'a?b??[2J???????')
  t.equal(row?.address, row?.about)
  t.equal(row?.user.length, 255)
})

await t.test('names whom a failed login was tried for only where somebody is called so', async (t) => {
  const { audit, store, rows } = await open(t)
  await store.accounts.create({
    name: 'carol',
    passwordHash: 'x',
    roles: ['user'],
    createdAt: '2030-01-31T09:30:00.000Z',
  })
  for (const name of ['carol', 'alice', 'hunter2', 'a password\n']) audit.recordFailedLogin(name, '192.0.2.7')
  const users = (await rows()).map(({ user }) => user)
  t.strictSame(users.toSorted(), ['', '', 'alice', 'carol'])
  t.notMatch(JSON.stringify(await rows()), /hunter2|password/)
})

await t.test('names nobody where accounts cannot be read', async (t) => {
  const { audit, rows } = await open(t, { accounts: { find: async () => Promise.reject(new Error('away')) } })
  audit.recordFailedLogin('alice', undefined)
  t.match(await rows(), [{ kind: 'login-failed', user: '', address: '' }])
})

await t.test('names nobody where there are no accounts', async (t) => {
  const { store, logged, rows } = await open(t)
  const log = { info: (fields: Record<string, unknown>) => void logged.push(fields), warn: () => undefined }
  const audit = new Audit({ store, log, nodeId: 'n' })
  t.teardown(() => audit.close())
  audit.recordFailedLogin('alice', '192.0.2.7')
  await audit.settled()
  t.match(await rows(), [{ kind: 'login-failed', user: '', address: '192.0.2.7' }])
})

await t.test(
  'writes few of a flood, says how many were left out, and leaves administrators none',
  async (t) => {
    const clock = { nowMs: 0 }
    const gate = new AuditGate({ burst: 5, perMinute: 60, perSource: 1_000_000, now: () => clock.nowMs })
    const { audit, logged, rows } = await open(t, { gate })
    for (let i = 0; i < 10_000; i++) audit.recordFailedLogin('alice', '192.0.2.7')
    for (let i = 0; i < 50; i++) audit.record({ kind: 'admin-action', about: `${i}` })
    clock.nowMs += 1000
    audit.recordFailedLogin('alice', '192.0.2.7')
    const failed = (await rows()).filter(({ kind }) => kind === 'login-failed')
    t.equal(failed.length, 6)
    t.strictSame(
      failed.map(({ omitted }) => omitted),
      [9995, 0, 0, 0, 0, 0],
    )
    t.equal(logged.filter(({ kind }) => kind === 'login-failed').length, 6)
    t.equal(logged.filter(({ kind }) => kind === 'admin-action').length, 50)
    t.strictSame(audit.counters, { recorded: 56, omitted: 9995, lost: 0 })
  },
)

await t.test('writes down what others do while one floods, and who of rank gets in', async (t) => {
  const gate = new AuditGate({ burst: 4, perMinute: 60, perSource: 2, now: () => 0 })
  const { audit, rows } = await open(t, { gate })
  for (let i = 0; i < 1000; i++)
    audit.record({ kind: 'refused', user: 'mallory', address: `192.0.2.${i % 250}` })
  audit.record({ kind: 'refused', user: 'bob', about: 'SEND /topic/x' })
  for (let i = 0; i < 1000; i++) audit.record({ kind: 'connect-refused', address: `2001:db8::${i}` })
  audit.record({ kind: 'connect-refused', address: '192.0.2.7' })
  for (let i = 0; i < 1000; i++) audit.record({ kind: 'login', user: `user-${i}`, roles: ['user'] })
  for (const role of ['admin', 'service'] as const) audit.record({ kind: 'login', user: role, roles: [role] })
  const written = (await rows()).map(({ kind, user, address }) => `${kind} ${user || address}`).toReversed()
  t.strictSame(written, [
    'refused mallory',
    'refused mallory',
    'refused bob',
    'connect-refused 2001:db8::0',
    'connect-refused 2001:db8::1',
    'connect-refused 192.0.2.7',
    ...[0, 1, 2, 3].map((i) => `login user-${i}`),
    'login admin',
    'login service',
  ])
})

await t.test('says how many were left out though none follow, and clears up', async (t) => {
  const gate = new AuditGate({ burst: 1, now: () => 0 })
  const { audit, store, rows } = await open(t, { gate, intervalMs: 10, keep: 300 })
  const row = {
    at: new Date().toISOString(),
    kind: 'logout',
    user: '',
    node: 'n',
    address: '',
    about: '',
    omitted: 0,
  }
  const old = Array.from({ length: 900 }, (_, i) => ({ ...row, id: `${1000 + i}` }))
  await store.audit.insert(old.slice(0, 500))
  await store.audit.insert([
    ...old.slice(500),
    { ...row, id: '0', kind: 'login', at: '2020-01-01T00:00:00.000Z' },
  ])
  audit.record({ kind: 'refused' })
  audit.record({ kind: 'refused' })
  audit.start()
  await until(async () => (await rows()).some(({ omitted }) => omitted === 1))
  await until(async () => (await rows()).filter(({ kind }) => kind === 'logout').length === 300)
  await until(async () => !(await rows()).some(({ kind }) => kind === 'login'))
  t.equal((await store.audit.list({ kind: 'logout' }, { limit: 1000 })).at(-1)?.id, '1600', 'the newest stay')
})

await t.test('loses rows that cannot be stored, and counts them; nobody waits for that', async (t) => {
  const { audit, store, logged } = await open(t, { intervalMs: 10 })
  await store.close()
  for (let i = 0; i < 1500; i++) audit.record({ kind: 'admin-action' })
  await audit.settled()
  t.strictSame(audit.counters, { recorded: 1500, omitted: 0, lost: 1500 })
  t.ok(logged.some(({ event }) => event === 'audit-unwritten'))
  audit.start()
  await until(() => logged.some(({ event }) => event === 'audit-not-trimmed'))
  await audit.close()
})
