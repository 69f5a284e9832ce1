import type { Test } from 'tap'
import { timeOrderedId } from '../../src/lib/time-ordered-id.ts'
import type { Store } from '../../src/store/store.ts'

/** What administrators are shown of the whole. */
export async function totalsContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('counts rooms and dead letters', async (t) => {
    const store = await open(t)
    t.same(await store.totals.count(), { rooms: 0, deadLetters: 0 })
    const createdAt = new Date().toISOString()
    await store.transact(async (tx) => {
      await tx.rooms.create({ name: 'one', visibility: 'public', owner: 'alice', createdAt })
      await tx.rooms.create({ name: 'two', visibility: 'private', owner: 'alice', createdAt })
      const body = Buffer.from('no order')
      tx.deadLetters.insert({ id: timeOrderedId(), queue: 'user', reason: 'r', headers: [], body, createdAt })
    })
    t.same(await store.totals.count(), { rooms: 2, deadLetters: 1 })
  })
}
