import type { Test } from 'tap'
import { MAX_UNREAD, type RoomReadRow, type RoomRow } from '../../src/store/rooms.ts'
import type { Store } from '../../src/store/store.ts'
import { AT, LATER, message } from './rows.ts'
import type { TestDatabase } from './test-database.ts'

function room(name: string, fields: Partial<RoomRow> = {}): RoomRow {
  return { name, visibility: 'public', owner: 'alice', createdAt: AT, ...fields }
}

const secret = (name: string, owner = 'alice'): RoomRow => room(name, { owner, visibility: 'private' })

const ids = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id)

function read(offset: number, fields: Partial<RoomReadRow> = {}): RoomReadRow {
  return { room: 'tea', user: 'bob', offset, messageId: `m${offset}`, ...fields }
}

export async function roomsContract(t: Test, open: (t: Test) => Promise<Store>): Promise<void> {
  await t.test('makes a room once, and its owner the first member of a private one', async (t) => {
    const store = await open(t)
    t.equal(await store.rooms.find('tea'), null)
    t.equal(await store.rooms.sight('tea', 'alice'), null)
    await store.transact(async ({ rooms }) => {
      t.equal(await rooms.find('tea'), null)
      t.equal(await rooms.create(room('tea')), true)
      t.strictSame(await rooms.find('tea'), room('tea'), 'its own are seen')
      t.equal(await rooms.create(secret('tea', 'bob')), false)
      t.equal(await rooms.create(secret('cellar')), true)
    })
    t.strictSame(await store.rooms.find('tea'), room('tea'))
    t.equal(await store.rooms.find('Tea'), null)
    t.strictSame(await store.rooms.sight('tea', 'alice'), { room: room('tea'), member: null })
    const owner = { room: 'cellar', user: 'alice', role: 'owner', since: AT }
    t.strictSame(await store.rooms.sight('cellar', 'alice'), { room: secret('cellar'), member: owner })
    t.strictSame(await store.rooms.sight('cellar', 'bob'), { room: secret('cellar'), member: null })
  })

  await t.test('makes no private room of one that has messages already', async (t) => {
    const store = await open(t)
    await store.transact(async (tx) => {
      tx.messages.insert(message('m1', { room: 'old' }))
    })
    t.equal(await store.transact(({ rooms }) => rooms.create(secret('old', 'bob'))), false)
    t.strictSame(await store.rooms.find('old'), room('old', { owner: 'bob' }), 'it is a public one')
  })

  await t.test('lists the rooms that are public, and those of a member, by name', async (t) => {
    const store = await open(t)
    await store.transact(async ({ rooms }) => {
      for (const name of ['d', 'b', 'a']) await rooms.create(room(name))
      await rooms.create(secret('c'))
      await rooms.create(secret('e', 'eve'))
      t.equal(await rooms.addMember({ room: 'c', user: 'bob', role: 'member', since: LATER }), true)
      t.equal(await rooms.addMember({ room: 'c', user: 'bob', role: 'owner', since: AT }), false)
      t.match(await rooms.member('c', 'bob'), { role: 'member', since: LATER })
      t.equal(await rooms.member('c', 'eve'), null)
    })
    const names = async (user: string, after?: string): Promise<string[]> =>
      (await store.rooms.list(user, { limit: 3, ...(after !== undefined && { after }) })).map((r) => r.name)
    t.strictSame(await names('bob'), ['a', 'b', 'c'])
    t.strictSame(await names('bob', 'b'), ['c', 'd'])
    t.strictSame(await names('mallory'), ['a', 'b', 'd'])
    t.strictSame(await names('eve', 'b'), ['d', 'e'])
    const members = async (after?: string) =>
      store.rooms.members('c', { limit: 1, ...(after !== undefined && { after }) })
    t.match(await members(), [{ user: 'alice', role: 'owner' }])
    t.match(await members('alice'), [{ user: 'bob', role: 'member' }])
    await store.transact(async ({ rooms }) => {
      t.equal(await rooms.removeMember('c', 'bob'), true)
      t.equal(await rooms.removeMember('c', 'bob'), false)
    })
    t.strictSame(await names('bob'), ['a', 'b', 'd'])
    t.strictSame(await members('alice'), [])
  })

  await t.test('reads messages of a room both ways, with what became of them', async (t) => {
    const store = await open(t)
    await store.transact(async (tx) => {
      for (const id of ['m1', 'm2', 'm3', 'm4']) tx.messages.insert(message(id, { room: 'tea' }))
      tx.messages.insert(message('m5', { room: 'milk' }))
    })
    await store.transact(async ({ rooms }) => {
      t.equal(await rooms.message('milk', 'm2'), null, 'of another room')
      t.match(await rooms.message('tea', 'm2'), { content: 'hello', editedAt: null, room: 'tea' })
      await rooms.editMessage({ id: 'm2', content: 'h\u00e9llo', at: AT })
      await rooms.editMessage({ id: 'm2', content: 'hi', at: LATER })
      t.match(await rooms.message('tea', 'm2'), { content: 'hi', editedAt: LATER })
      await rooms.removeMessage('m3')
      await rooms.removeMessage('m3')
      t.equal(await rooms.message('tea', 'm3'), null)
      await t.rejects(rooms.editMessage({ id: 'm1', content: 'a\0b', at: AT }), { code: 'invalid-payload' })
    })
    const { rooms } = store
    t.strictSame(ids(await rooms.messages('tea', { limit: 9 })), ['m4', 'm2', 'm1'])
    t.strictSame(ids(await rooms.messages('tea', { limit: 1, before: 'm4' })), ['m2'])
    t.strictSame(ids(await rooms.messages('tea', { limit: 1, after: 'm1' })), ['m2'])
    t.strictSame(ids(await rooms.messages('tea', { limit: 9, after: 'm1', before: 'm4' })), ['m2'])
    t.match(await rooms.messages('tea', { limit: 1, after: 'm1' }), [{ content: 'hi', editedAt: LATER }])
    t.match(await store.messages.find('m2'), { content: 'hi' })
  })

  await t.test('remembers how far somebody has read, forwards only, and counts what is not', async (t) => {
    const store = await open(t)
    await store.transact(async (tx) => {
      for (const id of ['m1', 'm2', 'm3']) tx.messages.insert(message(id, { room: 'tea' }))
      tx.messages.insert(message('m4', { room: 'tea', sender: 'bob' }))
    })
    const views = (user: string) => store.rooms.views(user, ['milk', 'tea'])
    t.strictSame(await store.rooms.views('bob', []), [])
    const none = { room: 'milk', unread: 0, readOffset: null, lastMessage: null }
    t.match(await views('bob'), [
      none,
      { room: 'tea', unread: 3, readOffset: null, lastMessage: { id: 'm4' } },
    ])
    const advance = (row: RoomReadRow) => store.transact(({ rooms }) => rooms.advance(row))
    t.equal(await advance(read(2)), true)
    t.equal(await advance(read(2)), false)
    t.equal(await advance(read(1)), false)
    t.match(await views('bob'), [none, { unread: 1, readOffset: 2 }])
    t.match(await views('alice'), [none, { unread: 1, readOffset: null }], 'only what others wrote')
    t.equal(await advance(read(3)), true)
    t.match(await views('bob'), [none, { unread: 0, readOffset: 3 }])
    t.equal(await advance({ ...read(4), messageId: '' }), true)
    t.match(
      await views('bob'),
      [none, { unread: 0, readOffset: 4 }],
      'without a message nothing is unread again',
    )
    await store.transact(async (tx) => {
      for (let i = 0; i <= MAX_UNREAD; i += 1) tx.messages.insert(message(`n${i}`, { room: 'tea' }))
    })
    t.match(await views('bob'), [none, { unread: MAX_UNREAD }])
  })
}

/** Of databases that several nodes serve. */
export async function sharedRoomsContract(
  t: Test,
  newDatabase: (t: Test) => Promise<TestDatabase>,
): Promise<void> {
  await t.test('makes a room once, however many nodes make it at the same time', async (t) => {
    const database = await newDatabase(t)
    const stores = await Promise.all(['west', 'east'].map((node) => database.open(node)))
    for (let i = 0; i < 10; i += 1) {
      const made = await Promise.all(
        stores.map((store, node) =>
          store.transact(async ({ rooms }) => {
            await rooms.find(`r${i}`)
            const isMade = await rooms.create(secret(`r${i}`, `user${node}`))
            return { isMade, owner: (await rooms.find(`r${i}`))?.owner }
          }),
        ),
      )
      t.equal(made.filter(({ isMade }) => isMade).length, 1)
      t.equal(new Set(made.map(({ owner }) => owner)).size, 1, 'and both know whose it is')
    }
  })

  await t.test('advances a position to the furthest, whichever node says it first', async (t) => {
    const database = await newDatabase(t)
    const stores = await Promise.all(['west', 'east'].map((node) => database.open(node)))
    await Promise.all(
      stores.flatMap((store, node) =>
        [1, 2, 3].map((n) => store.transact(({ rooms }) => rooms.advance(read(2 * n + node)))),
      ),
    )
    t.match(await stores[0]!.rooms.views('bob', ['tea']), [{ readOffset: 7 }])
  })

  await t.test('lets nobody change who belongs to a room while a transaction has asked', async (t) => {
    const database = await newDatabase(t)
    const [west, east] = await Promise.all(['west', 'east'].map((node) => database.open(node)))
    const bob = { room: 'cellar', user: 'bob', role: 'member', since: AT } as const
    await west!.transact(async ({ rooms }) => {
      await rooms.create(secret('cellar'))
      await rooms.addMember(bob)
    })
    const order: string[] = []
    let removing: Promise<void> | undefined
    await west!.transact(async ({ rooms }) => {
      await rooms.find('cellar')
      removing ??= east!.transact(async (tx) => {
        await tx.rooms.find('cellar')
        order.push('east')
        await tx.rooms.removeMember('cellar', 'bob')
      })
      t.match(await rooms.member('cellar', 'bob'), bob)
      order.push('west')
    })
    await removing
    t.strictSame(order, ['west', 'east'])
  })
}
