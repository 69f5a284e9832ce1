import type { Test } from 'tap'
import type { TestDatabase } from './test-database.ts'

const LONG_MS = 600_000

export async function nodesContract(t: Test, newDatabase: (t: Test) => Promise<TestDatabase>): Promise<void> {
  await t.test('gives a name to one boot at a time, until its lease ends or is given back', async (t) => {
    const { nodes } = await (await newDatabase(t)).open('x')
    t.strictSame(await nodes.living(), [])
    const one = { nodeId: 'a', boot: 'one', ttlMs: LONG_MS }
    const two = { ...one, boot: 'two' }
    t.equal(await nodes.renew(one), true)
    t.equal(await nodes.renew(one), true, 'keeps it')
    t.equal(await nodes.renew(two), false)
    await nodes.release(two)
    t.equal(await nodes.renew(two), false, 'the name was not its to give back')
    t.equal(await nodes.renew({ ...one, ttlMs: 0 }), true)
    t.equal(await nodes.renew(two), true, 'the lease had ended')
    t.equal(await nodes.renew(one), false)
    await nodes.release(two)
    t.equal(await nodes.renew(one), true)
    await nodes.release({ nodeId: 'never', boot: 'x' })
  })

  await t.test('names those with a living lease, sorted', async (t) => {
    const { nodes } = await (await newDatabase(t)).open('x')
    for (const nodeId of ['b', 'A', 'a', 'dead', 'B']) {
      await nodes.renew({ nodeId, boot: 'x', ttlMs: nodeId === 'dead' ? 0 : LONG_MS })
    }
    t.strictSame(await nodes.living(), ['A', 'B', 'a', 'b'])
    await nodes.release({ nodeId: 'B', boot: 'x' })
    t.strictSame(await nodes.living(), ['A', 'a', 'b'])
  })

  await t.test('lets one of several boots have a name that is free', async (t) => {
    const database = await newDatabase(t)
    const stores = [await database.open('x'), await database.open('y')]
    const boots = Array.from({ length: 10 }, (_, i) => `boot ${i}`)
    for (const nodeId of ['new', 'new too', 'ended']) {
      if (nodeId === 'ended') await stores[0]?.nodes.renew({ nodeId, boot: 'old', ttlMs: 0 })
      const taken = await Promise.all(
        boots.map(async (boot, i) => stores[i % 2]?.nodes.renew({ nodeId, boot, ttlMs: LONG_MS })),
      )
      t.equal(taken.filter(Boolean).length, 1, nodeId)
    }
  })
}
