import t from 'tap'
import { streamAt } from '../../src/fanout/stream-place.ts'

await t.test('finds the stream of a place, and where it is published to', async (t) => {
  const destination = '/user/queue/orders'
  const found = [
    { target: { kind: 'topic', pattern: 'messages' }, userDestination: undefined },
    { target: { kind: 'private', topic: 'orders.o-1' }, userDestination: undefined },
    { target: { kind: 'user', user: 'bob' }, userDestination: destination },
  ] as const
  t.same(found.map(streamAt), [
    { stream: '/topic/messages', address: { kind: 'topic', topic: 'messages' } },
    { stream: '/topic/orders.o-1', address: { kind: 'private', topic: 'orders.o-1' } },
    { stream: '/user/bob/queue/orders', address: { kind: 'user', user: 'bob', destination } },
  ])
})

await t.test('finds none where nothing is stored, or several streams meet', async (t) => {
  const none = [
    { target: { kind: 'topic', pattern: '#' }, userDestination: undefined },
    { target: { kind: 'private', topic: 'orders.o.1' }, userDestination: undefined },
    { target: { kind: 'user', user: 'bob' }, userDestination: '/user/queue/errors' },
    { target: { kind: 'user', user: 'bob' }, userDestination: undefined },
  ] as const
  t.same(none.map(streamAt), [undefined, undefined, undefined, undefined])
})
