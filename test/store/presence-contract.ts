import type { Test } from 'tap'
import { MessageError } from '../../src/errors.ts'
import type { Burial, Presence, PresenceChange, SessionRow, Store } from '../../src/store/store.ts'
import { AT } from './rows.ts'
import type { TestDatabase } from './test-database.ts'

const LONG_MS = 600_000
const EARLIER = '2030-01-31T09:29:59.999Z'

const inRoom = (user: string, room = 'tea'): Presence => ({ user, room })
const online = (user: string): Presence => ({ user, room: null })
const entering = (...presences: Presence[]): Partial<PresenceChange> => ({
  entered: presences.map(({ user, room }) => ({ user, room, since: AT })),
})
const leaving = (...left: Presence[]): Partial<PresenceChange> => ({ left })

function session(id: string, fields: Partial<SessionRow> = {}): Omit<SessionRow, 'nodeId'> {
  const { nodeId: _, ...rest } = { nodeId: '', ...fields }
  return {
    id,
    user: 'alice',
    roles: ['user', 'admin'],
    transport: 'stomp',
    version: '1.2',
    address: '127.0.0.1',
    connectedAt: AT,
    ...rest,
  }
}

const NOTHING: PresenceChange = { opened: [], closed: [], entered: [], left: [] }

/** The turns without their time. */
async function change(store: Store, owner: string, part: Partial<PresenceChange>) {
  const turns = await store.presence.change(owner, { ...NOTHING, ...part })
  return turns === null ? null : { came: turns.came, went: turns.went }
}

async function register(store: Store, owner: string, ttlMs = LONG_MS): Promise<void> {
  await store.presence.register({ owner, nodeId: `node of ${owner}`, report: { of: owner }, ttlMs })
}

/** Until there is nothing to bury. */
async function buryAll(store: Store, limit: number): Promise<Burial[]> {
  const burials: Burial[] = []
  for (;;) {
    const burial = await store.presence.bury(limit)
    if (burial === null) return burials
    burials.push(burial)
  }
}

const names = async (store: Store, room: string | null): Promise<string[]> =>
  (await store.presence.present(room, { limit: 100 })).map(({ user }) => user)

export async function presenceContract(
  t: Test,
  newDatabase: (t: Test) => Promise<TestDatabase>,
): Promise<void> {
  const open = async (test: Test) => (await newDatabase(test)).open('node-1')

  await t.test('says who is the first somewhere and who the last, whichever owner has them', async (t) => {
    const store = await open(t)
    await register(store, 'a')
    await register(store, 'b')
    const ann = [online('ann'), inRoom('ann')]
    t.same(await change(store, 'a', entering(...ann)), { came: ann, went: [] })
    t.same(await change(store, 'b', entering(...ann, inRoom('bob'))), { came: [inRoom('bob')], went: [] })
    t.same(await change(store, 'a', leaving(...ann)), { came: [], went: [] }, 'b has her still')
    t.same(await change(store, 'b', { ...entering(inRoom('cy')), ...leaving(ann[1]!) }), {
      came: [inRoom('cy')],
      went: [ann[1]],
    })
    t.same(await change(store, 'b', leaving(ann[0]!)), { came: [], went: [ann[0]] })
    t.same(await names(store, 'tea'), ['bob', 'cy'])
    t.same(await names(store, null), [])
  })

  await t.test('gives what happens later to one user no earlier time', async (t) => {
    const store = await open(t)
    const times: string[] = []
    const note = (told: { readonly at: string } | null): void => void times.push(told?.at ?? '')
    for (const owner of ['a', 'b']) {
      await register(store, owner)
      note(await store.presence.change(owner, { ...NOTHING, ...entering(online('ann')) }))
    }
    note(await store.presence.change('a', { ...NOTHING, ...leaving(online('ann')) }))
    await store.presence.retire('b', 0)
    note(await store.presence.bury(10))
    t.same(times, times.toSorted())
    t.ok(Math.abs(Date.parse(times[0] ?? '') - Date.now()) < 120_000)
  })

  await t.test('keeps rooms apart from each other and from being connected', async (t) => {
    const store = await open(t)
    await register(store, 'a')
    const all = [online('ann'), inRoom('ann', 'a'), inRoom('ann', 'A'), inRoom('Ann', 'a')]
    t.same(await change(store, 'a', entering(...all)), { came: all, went: [] })
    t.same(await names(store, 'a'), ['Ann', 'ann'])
    t.equal(await store.presence.countPresent(null), 1)
    t.equal(await store.presence.countPresent('a'), 2)
    t.equal(await store.presence.countPresent('nowhere'), 0)
  })

  await t.test('names those present by page, each once and since the earliest time', async (t) => {
    const store = await open(t)
    await register(store, 'a')
    await register(store, 'b')
    const users = ['a', 'b', 'c', 'd', 'e'].map((user) => online(user))
    await change(store, 'a', entering(...users))
    await change(store, 'b', { entered: users.map(({ user, room }) => ({ user, room, since: EARLIER })) })
    const first = await store.presence.present(null, { limit: 2 })
    t.same(first, [
      { user: 'a', since: EARLIER },
      { user: 'b', since: EARLIER },
    ])
    const rest = await store.presence.present(null, { limit: 9, after: 'b' })
    t.same(
      rest.map(({ user }) => user),
      ['c', 'd', 'e'],
    )
    t.equal(await store.presence.countPresent(null), 5)
  })

  await t.test('lists sessions by page, of one user or one node, and finds one', async (t) => {
    const store = await open(t)
    await register(store, 'a')
    await register(store, 'b')
    await change(store, 'a', { opened: [session('1'), session('3', { user: 'bob', version: null })] })
    await change(store, 'b', { opened: [session('2'), session('4')] })
    const ids = async (filter: { user?: string; nodeId?: string }, before?: string) => {
      const page = { limit: 2, ...(before !== undefined && { before }) }
      return (await store.presence.sessions(filter, page)).map(({ id }) => id)
    }
    t.same(await ids({}), ['4', '3'])
    t.same(await ids({}, '3'), ['2', '1'])
    t.same(await ids({ user: 'alice' }), ['4', '2'])
    t.same(await ids({ nodeId: 'node of a' }), ['3', '1'])
    t.same(await ids({ nodeId: 'node of a', user: 'alice' }), ['1'])
    t.same(await store.presence.findSession('3'), {
      ...session('3', { user: 'bob', version: null }),
      nodeId: 'node of a',
    })
    t.equal(await store.presence.findSession('5'), null)
    await change(store, 'b', { closed: ['4', '1', 'never'] })
    t.same(await ids({}), ['3', '2'], 'only its own')
  })

  await t.test('says what nodes there are, and how many sessions each has', async (t) => {
    const store = await open(t)
    const before = Date.now()
    await register(store, 'b')
    await register(store, 'a')
    await register(store, 'ended', 0)
    await change(store, 'a', { opened: [session('1'), session('2')] })
    t.equal(await store.presence.renew('b', { report: { is: 'new' }, ttlMs: LONG_MS }), true)
    const nodes = await store.presence.nodes()
    t.match(nodes, [
      { nodeId: 'node of a', report: { of: 'a' }, sessions: 2 },
      { nodeId: 'node of b', report: { is: 'new' }, sessions: 0 },
    ])
    t.ok(nodes.every(({ renewedAt }) => Math.abs(Date.parse(renewedAt) - before) < 120_000))
  })

  await t.test('keeps an owner that renews late, if nobody has given it up', async (t) => {
    const store = await open(t)
    await register(store, 'a', 0)
    t.equal(await store.presence.renew('a', { report: {}, ttlMs: LONG_MS }), true)
    t.equal(await store.presence.bury(10), null)
    t.same(await change(store, 'a', entering(online('ann'))), { came: [online('ann')], went: [] })
    t.equal(await store.presence.renew('never', { report: {}, ttlMs: LONG_MS }), false)
    t.equal(await change(store, 'never', entering(online('bob'))), null)
    t.same(await names(store, null), ['ann'])
  })

  await t.test('buries an owner that has ended, in portions, and says who is gone by it', async (t) => {
    const store = await open(t)
    await register(store, 'a')
    await register(store, 'b')
    const users = Array.from({ length: 5 }, (_, i) => online(`user-${i}`))
    await change(store, 'a', {
      opened: [session('1'), session('2')],
      ...entering(...users, inRoom('user-0')),
    })
    await change(store, 'b', { opened: [session('3')], ...entering(users[0]!) })
    t.equal(await store.presence.bury(10), null, 'both live')
    await store.presence.renew('a', { report: {}, ttlMs: 0 })
    t.equal(
      (await store.presence.sessions({}, { limit: 9 })).length,
      1,
      'its sessions are not there any more',
    )
    t.equal(await store.presence.findSession('1'), null)
    const burials = await buryAll(store, 4)
    t.same(
      burials.map(({ nodeId, sessions }) => [nodeId, sessions]),
      [
        ['node of a', 2],
        ['node of a', 0],
      ],
    )
    const gone = burials.flatMap(({ went }) => went).map(({ user, room }) => `${user} ${room}`)
    t.same(gone.toSorted(), ['user-0 tea', 'user-1 null', 'user-2 null', 'user-3 null', 'user-4 null'])
    t.same(await names(store, null), ['user-0'], 'whom b has')
    t.equal(await change(store, 'a', entering(online('ghost'))), null)
    t.equal(await store.presence.renew('a', { report: {}, ttlMs: LONG_MS }), false)
  })

  await t.test('gives up an owner before it is buried, who then writes no more', async (t) => {
    const store = await open(t)
    await register(store, 'a', 0)
    await register(store, 'b', 0)
    t.match(await store.presence.bury(10), { nodeId: /a|b/, went: [], sessions: 0 })
    for (const owner of ['a', 'b']) {
      t.equal(await store.presence.renew(owner, { report: {}, ttlMs: LONG_MS }), false)
      t.equal(await change(store, owner, entering(online('ghost'))), null)
    }
    t.same(await names(store, null), [])
  })

  await t.test('retires an owner: its sessions at once, its users after a while', async (t) => {
    const store = await open(t)
    await register(store, 'a')
    await change(store, 'a', { opened: [session('1')], ...entering(online('ann')) })
    await store.presence.retire('a', LONG_MS)
    t.equal(await store.presence.findSession('1'), null)
    t.equal(await store.presence.bury(10), null)
    t.same(await names(store, null), ['ann'])
    await store.presence.retire('a', 0)
    t.match(await store.presence.bury(10), { nodeId: 'node of a', went: [online('ann')], sessions: 0 })
  })

  await t.test('changes nothing where a part of a change is refused', async (t) => {
    const store = await open(t)
    await register(store, 'a')
    await change(store, 'a', { opened: [session('1')] })
    const twice = { opened: [session('2'), session('1')], ...entering(online('ann')) }
    await t.rejects(change(store, 'a', twice), { code: 'store-unavailable' })
    await t.rejects(change(store, 'a', entering(online('a\0b'))), MessageError)
    await t.rejects(change(store, 'a', leaving(online('a\0b'))), MessageError)
    t.same(await names(store, null), [])
    t.equal(await store.presence.findSession('2'), null)
  })

  await t.test('takes thousands at once', async (t) => {
    const store = await open(t)
    await register(store, 'a')
    const users = Array.from({ length: 3000 }, (_, i) => online(`user-${i}`))
    const opened = users.map(({ user }) => session(user, { user }))
    t.equal((await change(store, 'a', { opened, ...entering(...users) }))?.came.length, users.length)
    const closed = opened.map(({ id }) => id)
    t.equal((await change(store, 'a', { closed, ...leaving(...users) }))?.went.length, users.length)
    t.same(await store.presence.sessions({}, { limit: 1 }), [])
    t.equal(await store.presence.countPresent(null), 0)
  })
}

/** Several nodes that bring the same users and take them away, and one that dies. */
export async function sharedPresenceContract(
  t: Test,
  newDatabase: (t: Test) => Promise<TestDatabase>,
): Promise<void> {
  await t.test('tells of each coming and each going once, whoever else comes and goes', async (t) => {
    const database = await newDatabase(t)
    const stores = await Promise.all(['a', 'b', 'c'].map((name) => database.open(name)))
    const users = Array.from({ length: 8 }, (_, i) => online(`user-${i}`))
    const turns = new Map<string, number>()
    const count = (presences: readonly Presence[], by: number): void => {
      for (const { user } of presences) turns.set(user, (turns.get(user) ?? 0) + by)
    }
    let came = 0
    const note = (result: Awaited<ReturnType<typeof change>>): void => {
      came += result?.came.length ?? 0
      count(result?.came ?? [], 1)
      count(result?.went ?? [], -1)
    }
    await Promise.all(
      stores.map(async (store, i) => {
        await register(store, `owner-${i}`)
        for (let round = 0; round < 25; round += 1) {
          const some = users.filter((_, u) => (u + round) % (i + 2) !== 0)
          note(await change(store, `owner-${i}`, entering(...some.toReversed())))
          note(await change(store, `owner-${i}`, leaving(...some)))
        }
      }),
    )
    t.same(
      [...turns.values()],
      users.map(() => 0),
      'as many went as came',
    )
    t.ok(came >= users.length)
    t.comment(`${came} comings`)
    t.same(await names(stores[0]!, null), [])
  })

  await t.test('buries each row once, however many bury at once', async (t) => {
    const database = await newDatabase(t)
    const stores = await Promise.all(['a', 'b', 'c'].map((name) => database.open(name)))
    const users = Array.from({ length: 300 }, (_, i) => online(`user-${i}`))
    for (const owner of ['dead', 'dead too']) {
      await register(stores[0]!, owner)
      await change(stores[0]!, owner, { opened: [session(owner)], ...entering(...users) })
    }
    for (const owner of ['dead', 'dead too']) await stores[0]!.presence.retire(owner, 0)
    const burials = (await Promise.all(stores.map((store) => buryAll(store, 40)))).flat()
    burials.push(...(await buryAll(stores[0]!, 40)))
    const gone = burials.flatMap(({ went }) => went).map(({ user }) => user)
    t.equal(gone.length, users.length, 'each told once')
    t.equal(new Set(gone).size, users.length)
    t.equal(await stores[1]!.presence.countPresent(null), 0)
  })
}
