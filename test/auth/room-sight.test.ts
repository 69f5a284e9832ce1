import t from 'tap'
import { policyFacts } from '../../src/auth/policy-facts.ts'
import { RoomSight } from '../../src/auth/room-sight.ts'
import { startRig } from '../stream/rig.ts'

const AT = '2030-01-31T09:30:00.000Z'

await t.test('asks for a private room each time, and for a public one once', async (t) => {
  const { store } = await startRig(t)
  let asked = 0
  const counting = {
    get epoch() {
      return epoch
    },
    rooms: {
      ...store.rooms,
      sight: (room: string, user: string) => {
        asked += 1
        return store.rooms.sight(room, user)
      },
    },
  }
  let epoch = 'first'
  const sight = new RoomSight(counting)
  t.match(await sight.see('alice', 'tea'), { kind: 'absent' })
  await store.transact(async ({ rooms }) => {
    await rooms.create({ name: 'tea', visibility: 'public', owner: 'alice', createdAt: AT })
    await rooms.create({ name: 'cellar', visibility: 'private', owner: 'alice', createdAt: AT })
  })
  t.equal(sight.isPublic('tea'), false)
  t.match(await sight.see('bob', 'tea'), { kind: 'public', room: { name: 'tea' } })
  t.equal(sight.isPublic('tea'), true)
  t.equal(asked, 2)
  t.same(await sight.see('alice', 'tea'), { kind: 'public' })
  t.equal(asked, 2)
  t.match(await sight.see('alice', 'cellar'), { kind: 'member', role: 'owner' })
  t.same(await sight.see('bob', 'cellar'), { kind: 'hidden' })
  t.equal(asked, 4)
  epoch = 'of another database'
  t.equal(sight.isPublic('tea'), false, 'where a room of that name may be private')
  sight.notePublic('milk')
  t.equal(sight.isPublic('tea'), false)
  for (let i = 0; i < 10_000; i += 1) sight.notePublic(`r${i}`)
  t.equal(sight.isPublic('milk'), false, 'it does not grow without end')
  t.equal(sight.isPublic('r9999'), true)

  const facts = policyFacts(store, sight)
  t.equal(await facts.seesRoom('bob', 'cellar'), false)
  t.equal(await facts.seesRoom('alice', 'cellar'), true)
  t.equal(await facts.seesRoom('bob', 'nowhere'), true)
  t.equal(facts.isPublicRoom('r9999'), true)
  t.equal(await facts.ownsOrder('bob', 'none'), false)
})
