import t from 'tap'
import { MessageError } from '../../src/errors.ts'
import { resolveRoute } from '../../src/inbound/route.ts'

await t.test('leads each prefix where it belongs', async (t) => {
  const app = (destination: string) => ({ kind: 'app', destination })
  for (const [destination, route] of [
    ['/app/messages', app('/app/messages')],
    ['/topic/a.b', { kind: 'topic', topic: 'a.b' }],
    ['/topic/a%2Fb%2fc', { kind: 'topic', topic: 'a/b/c' }],
    ['/topic/50%25', { kind: 'topic', topic: '50%25' }],
    ['/topic/orders', { kind: 'private', topic: 'orders' }],
    ['/topic/orders.1', { kind: 'private', topic: 'orders.1' }],
    ['/topic/ordersx', { kind: 'topic', topic: 'ordersx' }],
    ['/queue/work', { kind: 'broker' }],
    ['/exchange/amq.topic/a', { kind: 'broker' }],
    ['/amq/queue/q', { kind: 'broker' }],
    ['/temp-queue/x', { kind: 'broker' }],
    ['/reply-queue/x', { kind: 'broker' }],
    ['/user/queue/orders', { kind: 'own', destination: '/user/queue/orders' }],
    ['/user/bob/queue/orders', { kind: 'user', user: 'bob', destination: '/user/queue/orders' }],
    ['/user/a%2Fb/queue/x', { kind: 'user', user: 'a/b', destination: '/user/queue/x' }],
  ] as const) {
    t.same(resolveRoute(destination), route, destination)
  }
})

await t.test('refuses what leads nowhere', async (t) => {
  for (const [destination, code] of [
    ['', 'unknown-destination'],
    ['topic', 'unknown-destination'],
    ['/topics/x', 'unknown-destination'],
    ['/queue/', 'unknown-destination'],
    ['/app', 'unknown-destination'],
    ['/topic/', 'invalid-destination'],
    ['/topic/a/b', 'invalid-destination'],
    ['/user/bob', 'invalid-destination'],
    ['/user/bob/', 'invalid-destination'],
    ['/user/queue/', 'invalid-destination'],
    ['/user/bob/queue/', 'invalid-destination'],
    ['/user/bob/topic/x', 'invalid-destination'],
    ['/user//queue/x', 'invalid-destination'],
  ] as const) {
    t.throws(() => resolveRoute(destination), { constructor: MessageError, code }, destination)
  }
})
