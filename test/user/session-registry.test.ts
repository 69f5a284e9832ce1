import t from 'tap'
import { SessionRegistry, type RegisteredSession } from '../../src/user/session-registry.ts'

function session(name: string): RegisteredSession {
  return {
    id: name,
    view: { principal: { name, roles: ['user'] } },
    peer: { transport: 'stomp', remoteAddress: '127.0.0.1' },
    shutDown: () => undefined,
    expel: () => undefined,
  }
}

await t.test('holds as many sessions of a user as one may have', async (t) => {
  const registry = new SessionRegistry({ maxPerUser: 2 })
  const [one, two, three] = [session('alice'), session('alice'), session('alice')]
  t.same(
    [one, two, three].map((each) => registry.add(each)),
    [true, true, false],
  )
  t.equal(registry.add(session('bob')), true, 'others have their own bound')
  t.equal(registry.size, 3)
  registry.remove(one)
  t.equal(registry.add(three), true)
  t.same(
    registry.all().filter(({ id }) => id === 'alice'),
    [two, three],
  )
})

await t.test('forgets a session once, and one that never came not at all', async (t) => {
  const registry = new SessionRegistry({ maxPerUser: 1 })
  const alice = session('alice')
  registry.add(alice)
  registry.remove(session('alice'))
  t.equal(registry.size, 1)
  registry.remove(alice)
  registry.remove(alice)
  t.equal(registry.size, 0)
  t.same(registry.all(), [])
  t.equal(registry.add(session('alice')), true)
})

await t.test('does not mix up users whose names are those of JavaScript', async (t) => {
  const registry = new SessionRegistry({ maxPerUser: 1 })
  for (const name of ['constructor', '__proto__', 'toString']) {
    t.equal(registry.add(session(name)), true, name)
    t.equal(registry.add(session(name)), false, name)
  }
})

await t.test('tells its observer who comes and goes, and of each subscription to a room', async (t) => {
  const seen: string[] = []
  const registry = new SessionRegistry({
    maxPerUser: 1,
    observer: {
      opened: ({ id }) => seen.push(`opened ${id}`),
      closed: ({ id }) => seen.push(`closed ${id}`),
      entered: (user, room) => seen.push(`${user} entered ${room}`),
      left: (user, room) => seen.push(`${user} left ${room}`),
    },
  })
  const alice = session('alice')
  registry.add(alice)
  t.equal(registry.find('alice'), alice)
  registry.add(session('alice'))
  const leave = registry.enter(alice, 'tea')
  leave()
  leave()
  registry.remove(alice)
  registry.remove(alice)
  t.equal(registry.find('alice'), undefined)
  t.same(seen, ['opened alice', 'alice entered tea', 'alice left tea', 'closed alice'])
})
