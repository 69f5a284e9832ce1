import t from 'tap'
import type { Presence, PresenceChange } from '../../src/store/store.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { Roll } from '../../src/user/roll.ts'
import { until } from '../support/until.ts'

const NOTHING: PresenceChange = { opened: [], closed: [], entered: [], left: [] }
const FOR_EVER_MS = 1_000_000_000
const ALL = 1000

const alice: Presence = { user: 'alice', room: null }
const aliceInTea: Presence = { user: 'alice', room: 'tea' }

function session(id: string): PresenceChange['opened'][number] {
  const rest = { roles: ['user'], transport: 'stomp', version: '1.2', address: '::1', connectedAt: 'now' }
  return { id, user: 'alice', ...rest }
}

function roll(lingerMs = FOR_EVER_MS, onChange: () => void = () => undefined): Roll {
  const made = new Roll({ lingerMs, onChange })
  t.teardown(() => made.stop())
  return made
}

const took = ({ opened, closed, entered, left }: PresenceChange) => ({
  opened: opened.map(({ id }) => id),
  closed,
  entered: entered.map(({ user, room }) => ({ user, room })),
  left,
})

await t.test('leaves no trace of what came and went before it was written', async (t) => {
  let changes = 0
  const it = roll(FOR_EVER_MS, () => {
    changes += 1
  })
  it.open(session('1'))
  it.hold(alice)
  it.release(alice)
  it.close('1')
  t.equal(it.dirtyCount, 0)
  t.same(it.take(ALL), NOTHING)
  t.equal(changes, 2)
})

await t.test('writes what came, once, and takes away what went', async (t) => {
  const it = roll()
  it.open(session('1'))
  it.open(session('2'))
  it.hold(alice)
  it.hold(alice)
  it.hold(aliceInTea)
  t.same(took(it.take(ALL)), { opened: ['1', '2'], closed: [], entered: [alice, aliceInTea], left: [] })
  t.same(it.take(ALL), NOTHING)
  it.close('1')
  it.close('never')
  it.release(alice)
  t.same(took(it.take(ALL)), { ...NOTHING, closed: ['1'] }, 'she has another session')
  it.release({ user: 'nobody', room: null })
  t.equal(it.dirtyCount, 0)
})

await t.test(
  'lets a user linger who left with all sessions, and forgets that where one comes back',
  async (t) => {
    const changed = deferred()
    let isWatched = false
    const it = roll(50, () => {
      if (isWatched) changed.resolve()
    })
    const bob = { user: 'bob', room: null }
    for (const presence of [alice, aliceInTea, bob]) it.hold(presence)
    it.take(ALL)
    isWatched = true
    for (const presence of [alice, aliceInTea, bob]) it.release(presence)
    t.equal(it.dirtyCount, 0, 'nothing is to be written yet')
    it.hold(alice)
    await changed.promise
    const left = [...it.take(ALL).left]
    await until(() => left.push(...it.take(ALL).left) === 2)
    t.same(left, [aliceInTea, bob])
  },
)

await t.test('takes no more at once than it is asked for', async (t) => {
  const it = roll()
  for (const id of ['1', '2', '3']) it.open(session(id))
  for (const user of ['a', 'b', 'c']) it.hold({ user, room: null })
  const sizes: number[] = []
  while (it.dirtyCount > 0) {
    const { opened, entered } = it.take(4)
    sizes.push(opened.length + entered.length)
  }
  t.same(sizes, [4, 2])
})

await t.test('writes all of it anew once it is to forget what it has written', async (t) => {
  const it = roll()
  it.open(session('1'))
  it.open(session('2'))
  it.hold(alice)
  it.hold(aliceInTea)
  it.take(ALL)
  it.close('2')
  it.release(aliceInTea)
  it.forget()
  const { opened, closed, entered, left } = took(it.take(ALL))
  t.same([opened, closed, left], [['1'], [], []])
  t.same(entered, [alice, aliceInTea], 'who lingers too')
})
