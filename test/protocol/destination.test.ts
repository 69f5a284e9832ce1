import * as fc from 'fast-check'
import t from 'tap'
import {
  compileTopicPattern,
  isBindableTopic,
  isName,
  isPrivateTopic,
  isRoomTopic,
  isReservedName,
  isTopicPattern,
  isUserName,
  roomOfDestination,
} from '../../protocol/destination.ts'

await t.test('knows the room whose messages a destination names', async (t) => {
  t.equal(roomOfDestination('/topic/rooms.tea'), 'tea')
  const others = ['tea.typing', 'tea.presence', '*', '#', '', 'a/b', 'ä', 'x'.repeat(65)]
  for (const rest of others) t.equal(roomOfDestination(`/topic/rooms.${rest}`), undefined, rest)
  for (const destination of ['/topic/room.tea', 'tea', '/app/rooms/tea', '/topic/rooms']) {
    t.equal(roomOfDestination(destination), undefined, destination)
  }
})

await t.test('accepts names of 1 to 64 of the allowed characters', async (t) => {
  for (const name of ['a', 'A-z_0', 'x'.repeat(64)]) t.ok(isName(name), name)
  for (const name of ['', 'x'.repeat(65), 'a.b', 'a b', 'é', 'a\n', 'a/b']) t.notOk(isName(name), name)
  for (const name of ['a', 'alice.b@example-1_x', 'x'.repeat(64)]) t.ok(isUserName(name), name)
  for (const name of ['', 'x'.repeat(65), 'a/b', 'a b', 'é', 'a\n']) t.notOk(isUserName(name), name)
})

await t.test('lets AMQP bind topics of 255 bytes, however many characters', async (t) => {
  t.notOk(isBindableTopic('é'.repeat(128)), '256 bytes')
  t.ok(isBindableTopic('x'.repeat(255)))
  t.ok(isBindableTopic('short'))
})

await t.test('reserves the names of the relay', async (t) => {
  for (const name of ['stomp-relay', 'stomp-relay.', 'stomp-relay.inbox.a']) t.ok(isReservedName(name), name)
  for (const name of ['stomp-relays', 'a.stomp-relay', 'Stomp-Relay.x', ''])
    t.notOk(isReservedName(name), name)
})

await t.test('calls orders private, and nothing that only begins like it', async (t) => {
  for (const topic of ['orders', 'orders.1', 'orders.1.x']) t.ok(isPrivateTopic(topic), topic)
  for (const topic of ['ordersx', 'a.orders', 'messages']) t.notOk(isPrivateTopic(topic), topic)
})

await t.test('knows the topics of a room', async (t) => {
  for (const topic of ['rooms.a', 'rooms.a.typing', 'rooms.a.read', 'rooms.a.presence'])
    t.ok(isRoomTopic(topic), topic)
  for (const topic of ['rooms', 'rooms.', 'rooms.*', 'rooms.a.b', 'rooms.a.read.b', 'x.a', `rooms.${'a'.repeat(65)}`])
    t.notOk(isRoomTopic(topic), topic)
}) // prettier-ignore

await t.test('takes * and # for wildcards only as whole words', async (t) => {
  for (const topic of ['*', '#', 'a.*', '#.a', 'a.*.b', 'a.#.b']) t.ok(isTopicPattern(topic), topic)
  for (const topic of ['a', 'a*', '*a.b', 'a.b#', '', 'a..b']) t.notOk(isTopicPattern(topic), topic)
})

const MATCHES: readonly [pattern: string, yes: readonly string[], no: readonly string[]][] = [
  ['a.b', ['a.b'], ['a', 'a.b.c', 'a.x', '']],
  ['a*', ['a*'], ['ab', 'a']],
  ['*', ['a', ''], ['a.b']],
  ['a.*', ['a.b', 'a.'], ['a', 'a.b.c', 'b.b']],
  ['a.*.c', ['a.b.c', 'a..c'], ['a.c', 'a.b.b.c', 'a.b.c.d']],
  ['*.b', ['a.b', '.b'], ['b', 'a.b.c']],
  ['#', ['a', 'a.b', ''], []],
  ['a.#', ['a', 'a.b', 'a.b.c'], ['b', 'ab', 'ab.c']],
  ['#.z', ['z', 'a.z', 'a.b.z', 'z.z'], ['z.a', 'a']],
  ['a.#.z', ['a.z', 'a.b.z', 'a.z.z', 'a.b.c.z'], ['a', 'z', 'a.z.b']],
  ['#.a.#', ['a', 'x.a', 'a.x', 'x.a.y.a.z'], ['x', 'x.y']],
  ['#.a.*.b.#', ['a.x.b', 'a.a.x.b', 'q.a.a.b.b.r'], ['a.b', 'a.x.y.b']],
  ['#.#', ['a', 'a.b', ''], []],
  ['*.#', ['a', 'a.b', ''], []],
  ['#.*', ['a', 'a.b'], []],
  ['a.b*.#', ['a.b*', 'a.b*.c'], ['a.bc']],
]

for (const [pattern, yes, no] of MATCHES) {
  await t.test(`${pattern} matches as RabbitMQ's topic exchange does`, async (t) => {
    const matches = compileTopicPattern(pattern)
    for (const topic of yes) t.ok(matches(topic), `'${topic}'`)
    for (const topic of no) t.notOk(matches(topic), `'${topic}'`)
  })
}

/** The definition, without care for speed. */
function matchesSlowly(pattern: readonly string[], topic: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return topic.length === 0
  if (first === '#')
    return matchesSlowly(rest, topic) || (topic.length > 0 && matchesSlowly(pattern, topic.slice(1)))
  return topic.length > 0 && (first === '*' || first === topic[0]) && matchesSlowly(rest, topic.slice(1))
}

await t.test('agrees with the definition on random patterns and topics', async (t) => {
  const words = fc.array(fc.constantFrom('a', 'b', '*', '#', ''), { minLength: 1, maxLength: 7 })
  fc.assert(
    fc.property(words, words, (pattern, topic) => {
      const wanted = pattern.some((word) => word === '*' || word === '#')
        ? matchesSlowly(pattern, topic)
        : pattern.join('.') === topic.join('.')
      return compileTopicPattern(pattern.join('.'))(topic.join('.')) === wanted
    }),
    { numRuns: 20_000 },
  )
  t.pass('20,000 pairs')
})

await t.test('does not grow beyond pattern times topic on the worst pattern', async (t) => {
  const matches = compileTopicPattern(`${'#.a.'.repeat(1_000)}b`)
  t.notOk(matches('a.'.repeat(3_000).slice(0, -1)))
})
