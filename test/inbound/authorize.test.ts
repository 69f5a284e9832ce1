import t from 'tap'
import { MessageError } from '../../src/errors.ts'
import { authorize } from '../../src/inbound/interceptors/authorize.ts'
import type { SubscribeCall } from '../../src/inbound/call.ts'
import { PUBLIC_ROOMS } from '../support/facts.ts'

const facts = {
  ...PUBLIC_ROOMS,
  ownsOrder: async (user: string, orderId: string) => user === 'alice' && orderId === '1',
}
const interceptor = authorize(facts)

function call(
  destination: string,
  headers: readonly string[] = [],
  role: 'user' | 'service' = 'service',
): SubscribeCall {
  const principal = { name: 'alice', roles: [role] }
  return { kind: 'SUBSCRIBE', session: { id: 's', principal, remoteAddress: '' }, destination, headers }
}

const forbidden = { constructor: MessageError, code: 'forbidden' }

await t.test(
  'answers at once where the table alone decides, and asks where an order has an owner',
  async (t) => {
    t.equal(interceptor(call('/topic/prices')), undefined)
    t.throws(() => interceptor(call('/topic/prices', [], 'user')), forbidden)
    await t.resolves(Promise.resolve(interceptor(call('/topic/orders.1', [], 'user'))))
    await t.rejects(Promise.resolve(interceptor(call('/topic/orders.2', [], 'user'))), { code: 'forbidden' })
  },
)

await t.test('refuses headers that name what the destination may not', async (t) => {
  for (const headers of [
    ['x-queue-name', 'user'],
    ['x-queue-name', 'stomp-relay.inbox.node.boot.1'],
    ['x-dead-letter-exchange', 'stomp-relay.private'],
    ['x-dead-letter-routing-key', 'stomp-relay.inbox.node.boot.1'],
  ]) {
    t.throws(() => interceptor(call('/topic/prices', headers)), forbidden, headers.join(':'))
  }
  t.equal(
    interceptor(call('/topic/prices', ['x-queue-name', 'mine', 'x-dead-letter-exchange', 'amq.topic'])),
    undefined,
  )
})

await t.test('lets nobody without queues shape or keep the one behind a topic', async (t) => {
  const hostile = [
    ['x-queue-name', 'mine'],
    ['x-dead-letter-exchange', 'amq.topic'],
    ['x-dead-letter-exchange', ''],
    ['x-dead-letter-routing-key', 'user'],
    ['x-max-length', '0'],
    ['x-message-ttl', '0'],
    ['x-expires', '999999999'],
    ['x-queue-type', 'quorum'],
    ['durable', 'true'],
    ['persistent', 'true'],
    ['auto-delete', 'false'],
  ]
  for (const headers of hostile) {
    t.throws(() => interceptor(call('/topic/rooms.tea', headers, 'user')), forbidden, headers.join(':'))
    t.equal(interceptor(call('/topic/rooms.tea', headers)), undefined, `a service may: ${headers.join(':')}`)
  }
  for (const headers of [
    ['durable', 'false'],
    ['auto-delete', 'true'],
    ['x-color', 'red'],
    ['note', 'durable', 'persistent', 'no'],
  ]) {
    t.equal(interceptor(call('/topic/rooms.tea', headers, 'user')), undefined, headers.join(':'))
  }
  t.equal(interceptor(call('/app/rooms/tea/history', ['x-max', '1'], 'user')), undefined, 'names of its own')
})

await t.test('asks about the headers of a SEND too', async (t) => {
  const { session } = call('/queue/jobs')
  const send = (headers: readonly string[]) =>
    interceptor({ kind: 'SEND', session, destination: '/queue/jobs', headers, body: new Uint8Array() })
  t.throws(() => send(['x-dead-letter-exchange', 'stomp-relay.private']), forbidden)
  t.equal(send(['x-dead-letter-exchange', '', 'persistent', 'true', 'durable', 'true']), undefined)
})

await t.test('has nothing to say about CONNECT', async (t) => {
  t.equal(
    interceptor({ kind: 'CONNECT', headers: [], upgrade: {}, remoteAddress: '', isAbandoned: () => false }),
    undefined,
  )
})
