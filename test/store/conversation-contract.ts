import type { Test } from 'tap'
import type { DeliveryRow, DeliveryState } from '../../src/store/conversations.ts'
import type { Store } from '../../src/store/store.ts'
import { message } from './rows.ts'

function delivery(
  id: string,
  sender: string,
  receiver: string,
  state: DeliveryState = 'STORED',
): DeliveryRow {
  return { id, sender, receiver, state }
}

/** Stores private messages, each `id sender receiver`. */
async function send(store: Store, ...messages: readonly string[]): Promise<void> {
  await store.transact(async (tx) => {
    for (const text of messages) {
      const [id = '', sender = '', receiver = ''] = text.split(' ')
      tx.messages.insert(message(id, { sender, receiver, content: text, clientId: 'c' }))
      tx.deliveries.insert(delivery(id, sender, receiver))
    }
  })
}

async function save(store: Store, ids: readonly string[], state: DeliveryState): Promise<void> {
  await store.transact(async (tx) => {
    for (const row of await tx.deliveries.find(ids)) tx.deliveries.save({ ...row, state })
  })
}

/** In short: `other: last, unread`. */
async function listed(store: Store, user: string, before?: string): Promise<string[]> {
  const page = { limit: 2, ...(before !== undefined && { before }) }
  const rows = await store.conversations.list(user, page)
  return rows.map(({ other, last, unread }) => `${other}: ${last.content}, ${unread}`)
}

export async function conversationsContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('lists who writes with whom, the newest message first, and what is not read', async (t) => {
    const store = await open(t)
    await send(store, 'm1 alice bob', 'm2 bob alice', 'm3 carl alice', 'm4 alice alice')
    await send(store, 'm5 bob alice', 'm0 alice carl')
    await store.transact(async (tx) => tx.messages.insert(message('public')))
    t.strictSame(await listed(store, 'alice'), ['bob: m5 bob alice, 2', 'alice: m4 alice alice, 0'])
    t.strictSame(
      await listed(store, 'alice', 'm4'),
      ['carl: m3 carl alice, 1'],
      'the older m0 is not its last',
    )
    t.strictSame(await listed(store, 'bob'), ['alice: m5 bob alice, 1'])
    t.strictSame(await listed(store, 'Bob'), [])
    await save(store, ['m2'], 'DELIVERED')
    await save(store, ['m5'], 'READ')
    t.strictSame(await listed(store, 'alice', 'm9'), ['bob: m5 bob alice, 1', 'alice: m4 alice alice, 0'])
  })

  await t.test('lists the messages of two, in both directions, with how far each got', async (t) => {
    const store = await open(t)
    await send(store, 'm1 alice bob', 'm2 bob alice', 'm3 carl alice', 'm4 alice bob', 'm5 bob alice')
    await save(store, ['m1', 'm4'], 'DELIVERED')
    const ids = async (page: { before?: string; after?: string; limit: number }): Promise<string> =>
      (await store.conversations.messages(['bob', 'alice'], page)).map(({ id }) => id).join()
    t.equal(await ids({ limit: 9 }), 'm5,m4,m2,m1')
    t.equal(await ids({ limit: 2, before: 'm5' }), 'm4,m2')
    t.equal(await ids({ limit: 2, after: 'm1' }), 'm4,m2', 'the next ones, not the newest')
    t.equal(await ids({ limit: 2, after: 'm5' }), '')
    const [, newest] = await store.conversations.messages(['alice', 'bob'], { limit: 2 })
    t.match(newest, { sender: 'alice', receiver: 'bob', content: 'm4 alice bob', clientId: 'c' })
    t.equal(newest?.state, 'DELIVERED')
    t.match(await store.conversations.messages(['alice', 'bob'], { limit: 1 }), [{ state: 'STORED' }])
  })

  await t.test('finds deliveries by id, with what the transaction saved itself', async (t) => {
    const store = await open(t)
    await send(store, 'm2 alice bob', 'm1 alice bob')
    const seen: unknown[] = []
    await store.transact(async (tx) => {
      seen.push(await tx.deliveries.find([]), await tx.deliveries.find(['m2', 'none', 'm1']))
      tx.deliveries.save(delivery('m1', 'alice', 'bob', 'DELIVERED'))
      const failed = tx.attempt(async () => {
        tx.deliveries.save(delivery('m1', 'alice', 'bob', 'READ'))
        tx.deliveries.insert(delivery('m3', 'alice', 'carl'))
        throw new Error('on purpose')
      })
      await t.rejects(failed, { message: 'on purpose' })
      seen.push(await tx.deliveries.find(['m1', 'm3']))
    })
    t.strictSame(seen, [
      [],
      [delivery('m1', 'alice', 'bob'), delivery('m2', 'alice', 'bob')],
      [delivery('m1', 'alice', 'bob', 'DELIVERED')],
    ])
    await store.transact(async (tx) => {
      t.match(await tx.deliveries.find(['m1', 'm3']), [{ id: 'm1', state: 'DELIVERED' }])
    })
    t.strictSame(await listed(store, 'carl'), [], 'what failed left nothing')
  })

  await t.test('refuses names that are no texts everywhere', async (t) => {
    const store = await open(t)
    const refused = store.transact(async (tx) => tx.deliveries.insert(delivery('m1', 'alice', '\0')))
    await t.rejects(refused, { code: 'invalid-payload' })
  })
}
