import type { Test } from 'tap'
import type { Store } from '../../src/store/store.ts'
import { until } from '../support/until.ts'
import { AT } from './rows.ts'
import type { TestDatabase } from './test-database.ts'

const LONG_MS = 600_000
function session(id: string) {
  return {
    id,
    user: 'ann',
    roles: [],
    transport: 'sse',
    version: null,
    address: '::1',
    connectedAt: AT,
  } as const
}

async function openSessions(store: Store, owner: string, ...ids: string[]): Promise<void> {
  await store.presence.change(owner, { opened: ids.map(session), closed: [], entered: [], left: [] })
}

export async function nodeStatusContract(
  t: Test,
  newDatabase: (t: Test) => Promise<TestDatabase>,
): Promise<void> {
  const open = async (test: Test) => (await newDatabase(test)).open('node-1')

  await t.test('says each node once, by its last owner, and none that was retired', async (t) => {
    const store = await open(t)
    const begin = (owner: string, nodeId: string): Promise<void> =>
      store.presence.register({ owner, nodeId, report: { of: owner }, ttlMs: LONG_MS })
    await begin('z', 'one')
    await openSessions(store, 'z', '1')
    const [first] = await store.presence.nodes()
    await until(() => Date.now() > Date.parse(first!.renewedAt) + 1)
    await begin('a', 'one')
    await begin('b', 'two')
    await openSessions(store, 'a', '2', '3')
    t.match(
      (await store.presence.nodes()).map(({ nodeId, report, sessions }) => [nodeId, report, sessions]),
      [
        ['one', { of: 'a' }, 2],
        ['two', { of: 'b' }, 0],
      ],
    )
    await store.presence.retire('b', LONG_MS)
    t.same(
      (await store.presence.nodes()).map(({ nodeId }) => nodeId),
      ['one'],
    )
    await store.presence.retire('a', LONG_MS)
    await store.presence.retire('z', LONG_MS)
    t.same(await store.presence.nodes(), [])
  })
}
