import t from 'tap'
import { MessageError } from '../../src/errors.ts'
import { authorize } from '../../src/inbound/interceptors/authorize.ts'
import type { SubscribeCall } from '../../src/inbound/call.ts'

const facts = { ownsOrder: async (user: string, orderId: string) => user === 'alice' && orderId === '1' }
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

await t.test('has nothing to say about CONNECT', async (t) => {
  t.equal(
    interceptor({ kind: 'CONNECT', headers: [], upgrade: {}, remoteAddress: '', isAbandoned: () => false }),
    undefined,
  )
})
