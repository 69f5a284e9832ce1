import type { Test } from 'tap'
import type { TestDatabase } from './test-database.ts'
import { AT, event } from './rows.ts'

export async function outboxContract(
  t: Test,
  newDatabase: (t: Test) => Promise<TestDatabase>,
): Promise<void> {
  const lease = (nodeId: string, ttlMs: number) => ({ nodeId, boot: `boot of ${nodeId}`, ttlMs })

  await t.test('claims rows of nodes without a living lease, oldest first, and of no others', async (t) => {
    const database = await newDatabase(t)
    const first = await database.open('a')
    const second = await database.open('b')
    t.strictSame(await second.outbox.claim(10), [])
    await first.nodes.renew(lease('a', 600_000))
    const events = ['1', '2', '3'].map((body) => event('/topic/a', body))
    const appended = await first.transact((tx) => tx.appendEvents(events))
    await second.transact((tx) => tx.appendEvents([event('/topic/b', 'own')]))
    t.strictSame(await second.outbox.claim(10), [], 'its owner lives')
    t.match(await second.outbox.pending(0, 10), [{ body: 'own' }])

    await first.nodes.renew(lease('a', 0))
    const claimed = await second.outbox.claim(2)
    t.strictSame(claimed, [
      { ...appended[0], address: events[0]?.address, headers: events[0]?.headers, body: '1' },
      { ...appended[1], address: events[1]?.address, headers: events[1]?.headers, body: '2' },
    ])
    t.match(await first.outbox.pending(0, 10), [{ body: '3' }], 'the old owner has them no more')
    t.strictSame(await second.outbox.pending(0, 10).then((rows) => rows.map((row) => row.body)), [
      '1',
      '2',
      'own',
    ])
    t.match(await second.outbox.claim(10), [{ body: '3' }])
    t.strictSame(await second.outbox.claim(10), [])
  })

  await t.test('claims rows of a node that never had a lease, and never its own', async (t) => {
    const database = await newDatabase(t)
    const first = await database.open('a')
    const second = await database.open('b')
    await first.transact((tx) => tx.appendEvents([event('/topic/a')]))
    t.strictSame(await first.outbox.claim(10), [])
    t.equal((await second.outbox.claim(10)).length, 1)
  })

  await t.test('says how long the oldest row of all nodes has waited', async (t) => {
    const database = await newDatabase(t)
    const first = await database.open('a')
    const second = await database.open('b')
    const now = Date.parse(AT)
    t.equal(await first.outbox.ageMs(now), 0)
    const early = new Date(now - 5000).toISOString()
    const [row] = await first.transact((tx) =>
      tx.appendEvents([event('/topic/a', '1', undefined, { createdAt: early }), event('/topic/a', '2')]),
    )
    t.equal(await second.outbox.ageMs(now + 1), 5001)
    await first.outbox.remove([row?.seq ?? 0])
    t.equal(await second.outbox.ageMs(now + 1), 1)
    t.equal(await second.outbox.ageMs(now - 1), 0, 'clocks differ')
  })
}
