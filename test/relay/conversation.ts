import type { Test } from 'tap'
import { header } from '../../protocol/frame.ts'
import { StompClient } from '../support/stomp-client.ts'

/** What a node must be able to tell about itself for the conversation. */
export interface Node {
  readonly url: string
  readonly address: string
  /** A bearer token of an administrator. */
  readonly adminToken: string
}

/**
 * The three users of the service, end to end: people who write to everybody, an order service, and an
 * administrator who announces something. The same over whichever broker.
 */
export async function conversation(t: Test, node: Node): Promise<void> {
  const alice = await StompClient.connect(t, node.url, { login: 'alice' })
  const bob = await StompClient.connect(t, node.url, { login: 'bob' })
  await bob.subscribe('messages', '/topic/messages')
  await bob.subscribe('broadcasts', '/topic/broadcasts')
  await bob.subscribe('orders', '/user/queue/orders')
  await bob.subscribe('notifications', '/user/queue/notifications')

  await t.test('a message reaches every subscriber, stored', async (t) => {
    await alice.ask('SEND', ['destination', '/app/messages'], '{"content":"hello"}')
    const { frame, payload } = await bob.message('messages')
    t.match(payload, { content: 'hello', sender: 'alice', status: 'SENT' })
    t.match(header(frame.headers, 'event-id'), /^[\w-]+:\d+$/)
  })

  await t.test('an order reaches its owner, with a notification', async (t) => {
    const service = await StompClient.connect(t, node.url, { login: 'orders' })
    const order = { orderId: `o-${Date.now()}`, userId: 'bob', status: 'PLACED', items: [{ sku: 'tea' }] }
    await service.ask('SEND', ['destination', '/queue/user'], JSON.stringify(order))
    t.match((await bob.message('orders')).payload, order)
    t.match((await bob.message('notifications')).payload, { type: 'ORDER', data: { orderId: order.orderId } })
    await bob.subscribe('one', `/topic/orders.${order.orderId}`)
    const next = JSON.stringify({ ...order, status: 'READY' })
    await service.ask('SEND', ['destination', '/queue/user'], next)
    await service.ask('SEND', ['destination', '/queue/user'], next)
    t.match((await bob.message('one')).payload, { status: 'READY' })
    t.match((await bob.message('orders')).payload, { status: 'READY' })
    await service.ask('SEND', ['destination', '/queue/user'], JSON.stringify({ ...order, status: 'SHIPPED' }))
    t.match((await bob.message('orders')).payload, { status: 'SHIPPED' }, 'the repetition changed nothing')
  })

  await t.test('a broadcast reaches everybody', async (t) => {
    const response = await fetch(`${node.address}/api/v1/admin/broadcasts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${node.adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'Maintenance', message: 'Back at ten' }),
    })
    t.equal(response.status, 202)
    const { id, eventId } = (await response.json()) as Record<string, string>
    const { frame, payload } = await bob.message('broadcasts')
    t.match(payload, { id, title: 'Maintenance', message: 'Back at ten', type: 'INFO' })
    t.equal(header(frame.headers, 'event-id'), eventId)
  })
}
