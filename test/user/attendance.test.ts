import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { pino } from 'pino'
import { MessageError } from '../../src/errors.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import type { PresenceRepository, Store } from '../../src/store/store.ts'
import type { Announced } from '../../src/user/announcements.ts'
import { Attendance, type AttendanceTimes } from '../../src/user/attendance.ts'
import { PresenceReader } from '../../src/user/presence-reader.ts'
import type { RegisteredSession } from '../../src/user/session-registry.ts'
import { temporaryFolder } from '../support/relay.ts'
import { until } from '../support/until.ts'

// Nodes are objects of one process here, on one SQLite file through one store; a node dies by not being heard
// of any more. What real processes and servers do is in test/relay/nodes.test.ts.

const LONG_MS = 1_000_000_000
const QUIET: AttendanceTimes = {
  gatherMs: 1,
  ttlMs: LONG_MS,
  renewMs: LONG_MS,
  buryMs: LONG_MS,
  lingerMs: LONG_MS,
}

function session(user: string, id: string = randomUUID()): RegisteredSession {
  return {
    id,
    view: { principal: { name: user, roles: ['user'] } },
    peer: { transport: 'sse', remoteAddress: '::1' },
    shutDown: () => undefined,
    expel: () => undefined,
  }
}

/** The store, with what the test wants to do before a method of its presence runs. */
function hooked(store: Store, before: Partial<Record<keyof PresenceRepository, () => unknown>>) {
  return new Proxy(store.presence, {
    get(presence, name: keyof PresenceRepository) {
      return async (...args: unknown[]): Promise<unknown> => {
        await before[name]?.()
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- passes on what it got
        return (presence[name] as (...all: unknown[]) => Promise<unknown>).call(presence, ...args)
      }
    },
  })
}

interface Scene {
  readonly store: Store
  readonly node: (
    name: string,
    options?: {
      readonly times?: Partial<AttendanceTimes>
      readonly before?: Partial<Record<keyof PresenceRepository, () => unknown>>
    },
  ) => Attendance
  readonly reader: (attendance: Attendance) => PresenceReader
  /** `alice came`, `alice went from tea`. */
  readonly told: string[]
}

async function scene(test: Test): Promise<Scene> {
  const folder = await temporaryFolder(test)
  const store = await openStore({ url: `sqlite:${folder}/relay.db`, nodeId: 'n', lock: true })
  test.teardown(() => store.close())
  const told: string[] = []
  const tell = async ({ came = [], went = [] }: Announced): Promise<void> => {
    for (const { user, room } of came) told.push(`${user} came${room === null ? '' : ` to ${room}`}`)
    for (const { user, room } of went) told.push(`${user} went${room === null ? '' : ` from ${room}`}`)
  }
  return {
    store,
    told,
    node(name, { times = {}, before = {} } = {}) {
      const attendance = new Attendance({
        store: { presence: hooked(store, before) },
        announcements: { tell },
        nodeId: name,
        boot: `${name}-${randomUUID()}`,
        report: () => ({ name }),
        log: pino({ level: 'silent' }),
        times: { ...QUIET, ...times },
      })
      test.teardown(() => attendance.close())
      return attendance
    },
    reader: (attendance) => new PresenceReader({ store, attendance }),
  }
}

const online = async (presence: PresenceReader, room: string | null = null): Promise<string[]> =>
  (await presence.present(room, { limit: 100 })).map(({ user }) => user)

await t.test('writes a crowd in few transactions', async (t) => {
  const { node, reader, told } = await scene(t)
  const attendance = node('a')
  await attendance.start()
  const sessions = Array.from({ length: 1000 }, (_, i) => session(`user-${String(i).padStart(4, '0')}`))
  for (const each of sessions) {
    attendance.opened(each)
    attendance.entered(each.view.principal.name, 'tea')
  }
  t.equal(await reader(attendance).countPresent('tea'), 1000)
  t.equal(told.length, 2000)
  t.equal(attendance.counters.batches, 6, '3,000 rows, 500 at a time')
  for (const each of sessions) attendance.closed(each)
  t.same(await reader(attendance).sessions({}, { limit: 1 }), [])
  t.equal(attendance.counters.batches, 8)
})

await t.test('leaves no row behind of sessions that are over before they were written', async (t) => {
  const { node, reader, told } = await scene(t)
  const attendance = node('a')
  await attendance.start()
  for (let i = 0; i < 100; i += 1) {
    const short = session('mayfly')
    attendance.opened(short)
    attendance.entered('mayfly', 'tea')
    attendance.left('mayfly', 'tea')
    attendance.closed(short)
  }
  t.same(await online(reader(attendance)), [])
  t.same(await reader(attendance).sessions({}, { limit: 1 }), [])
  t.same(told, [])
})

await t.test('tells of a user once, whatever nodes they are at and leave', async (t) => {
  const { node, reader, told } = await scene(t)
  const [a, b] = [node('a', { times: { lingerMs: 1 } }), node('b', { times: { lingerMs: 1 } })]
  await Promise.all([a.start(), b.start()])
  const [one, two, three] = [session('ann'), session('ann'), session('ann')]
  a.opened(one)
  a.opened(two)
  await a.settled()
  b.opened(three)
  await b.settled()
  a.closed(one)
  a.closed(two)
  const left = session('sign')
  a.opened(left)
  await until(async () => {
    await a.settled()
    return (await reader(a).sessions({ user: 'ann' }, { limit: 9 })).length === 1
  })
  t.same(told, ['ann came', 'sign came'])
  b.closed(three)
  await until(() => told.includes('ann went'))
  t.same(told, ['ann came', 'sign came', 'ann went'])
})

await t.test('removes what a dead node left, and tells who is gone by it', async (t) => {
  const { node, reader, told } = await scene(t)
  // Nothing renews: it dies as soon as it has begun, and does not notice.
  const dead = node('dead', { times: { ttlMs: 1 } })
  await dead.start()
  const survivor = node('survivor')
  await survivor.start()
  dead.opened(session('ann', 'of the dead'))
  dead.entered('ann', 'tea')
  dead.opened(session('bob'))
  await dead.settled()
  survivor.opened(session('bob'))
  t.equal(await reader(survivor).findSession('of the dead'), null, 'its sessions count no more')
  t.same(await online(reader(survivor)), ['ann', 'bob'])
  const heir = node('heir', { times: { buryMs: 1, ttlMs: 20, renewMs: 5 } })
  await heir.start()
  await until(async () => (await online(reader(heir), 'tea')).length === 0)
  await until(() => heir.counters.buried === 2)
  t.same(await online(reader(heir)), ['bob'], 'whom the survivor has')
  t.same(told.slice(0, 3).toSorted(), ['ann came', 'ann came to tea', 'bob came'])
  await until(() => told.length === 5)
  t.same(told.slice(3).toSorted(), ['ann went', 'ann went from tea'])
})

await t.test('writes all anew where others took it for dead, and nobody seemed to leave', async (t) => {
  const { store, node, reader, told } = await scene(t)
  const frozen = node('frozen', { times: { ttlMs: 1 } })
  await frozen.start()
  frozen.opened(session('ann', '1'))
  frozen.entered('ann', 'tea')
  await frozen.settled()
  // Given up by somebody who is interrupted before anything is removed.
  await until(async () => (await store.presence.bury(0)) !== null)
  frozen.opened(session('bob', '2'))
  await frozen.settled()
  t.equal(frozen.counters.lost, 1)
  t.same(await online(reader(frozen)), ['ann', 'bob'])
  t.same(await online(reader(frozen), 'tea'), ['ann'])
  t.same(told, ['ann came', 'ann came to tea', 'bob came'])
})

await t.test('notices by renewing that it was given up, with nothing to write', async (t) => {
  const { store, node, reader } = await scene(t)
  const mayRenew = { is: false }
  const frozen = node('frozen', {
    times: { ttlMs: 1, renewMs: 1 },
    before: {
      renew: () => {
        if (!mayRenew.is) throw new MessageError('store-unavailable', 'frozen')
      },
    },
  })
  await frozen.start()
  frozen.opened(session('ann', '1'))
  await frozen.settled()
  while ((await store.presence.bury(10)) !== null);
  t.same(await store.presence.present(null, { limit: 9 }), [])
  mayRenew.is = true
  await until(() => frozen.counters.lost > 0)
  await until(async () => (await online(reader(frozen))).length === 1)
})

await t.test(
  'writes anew what may or may not have been written, and refuses questions meanwhile',
  async (t) => {
    const { node, reader } = await scene(t)
    const database = { isAway: false }
    const refuse = (): void => {
      if (database.isAway) throw new MessageError('store-unavailable', 'away')
    }
    const attendance = node('a', { before: { change: refuse, register: refuse, retire: refuse } })
    await attendance.start()
    attendance.opened(session('ann', '1'))
    await attendance.settled()
    database.isAway = true
    attendance.opened(session('bob', '2'))
    await t.rejects(attendance.settled(), { code: 'store-unavailable' })
    database.isAway = false
    await until(() =>
      attendance.settled().then(
        () => true,
        () => false,
      ),
    )
    t.same(await online(reader(attendance)), ['ann', 'bob'])
    const rows = await reader(attendance).sessions({}, { limit: 9 })
    t.same(
      rows.map(({ id }) => id),
      ['2', '1'],
    )
  },
)

await t.test('does not bury before others had the time to renew, where the database was away', async (t) => {
  const { node, store } = await scene(t)
  const seen: string[] = []
  const database = { isAway: true }
  const heir = node('heir', {
    times: { buryMs: 1, renewMs: 1, ttlMs: LONG_MS },
    before: {
      bury: () => seen.push('bury'),
      renew: () => {
        seen.push('renew')
        if (database.isAway) throw new MessageError('store-unavailable', 'away')
      },
    },
  })
  await heir.start()
  await until(() => seen.length >= 5)
  database.isAway = false
  await until(() => seen.length >= 10)
  t.same(seen.includes('bury'), false)
  t.equal((await store.presence.nodes()).length, 1)
})

await t.test('gives up its sessions as it closes, and keeps its users for those who come back', async (t) => {
  const { node, store, told } = await scene(t)
  const attendance = node('a')
  await attendance.start()
  attendance.opened(session('ann', '1'))
  await attendance.settled()
  await Promise.all([attendance.close(), attendance.close()])
  attendance.opened(session('late', '2'))
  t.equal(await store.presence.findSession('1'), null)
  t.equal(await store.presence.countPresent(null), 1)
  t.same(told, ['ann came'])
  const unborn = node('b')
  await unborn.close()
})
