import t from 'tap'
import { streamOfTopic, streamOfUser } from '../../protocol/streams.ts'

await t.test('knows the topics whose events are stored', async (t) => {
  for (const topic of [
    'messages',
    'broadcasts',
    'orders',
    'orders.o-1',
    'rooms.kitchen',
    'rooms.kitchen.read',
  ]) {
    t.equal(streamOfTopic(topic), `/topic/${topic}`)
  }
})

await t.test('knows no stream of other topics', async (t) => {
  const others = [
    '',
    'prices',
    'rooms',
    'rooms.',
    'rooms.a.typing',
    'rooms.a.read.b',
    'rooms.a b',
    'orders.o.1',
  ]
  for (const topic of [
    ...others,
    'messages.a',
    'Messages',
    'rooms.*',
    'rooms.#',
    '#',
    'orders.*',
    'presence',
  ]) {
    t.equal(streamOfTopic(topic), undefined, topic)
  }
})

await t.test('knows the queues of a user whose events are stored', async (t) => {
  for (const queue of ['messages', 'notifications', 'orders', 'operations', 'receipts']) {
    t.equal(streamOfUser('bob', `/user/queue/${queue}`), `/user/bob/queue/${queue}`)
  }
  for (const destination of [
    '/user/queue/errors',
    '/user/queue/',
    '/user/queue/messages/x',
    '/queue/messages',
    '',
  ]) {
    t.equal(streamOfUser('bob', destination), undefined, destination)
  }
})
