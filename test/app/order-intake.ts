import type { Test } from 'tap'
import { header } from '../../protocol/frame.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import type { TestRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'

/** What order services may send, right and wrong, and what becomes of it; the same over every broker. */
export async function orderIntake(t: Test, relay: TestRelay): Promise<void> {
  const store = await openStore({ url: `sqlite:${relay.database}`, nodeId: 'reader', lock: false })
  t.teardown(() => store.close())
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
  const admin = await StompClient.connect(t, relay.url, { login: 'admin' })
  await bob.subscribe('orders', '/user/queue/orders')
  await bob.subscribe('notes', '/user/queue/notifications')
  await admin.subscribe('all', '/topic/orders')
  await admin.subscribe('dead', '/queue/user.dead-letter')

  const publish = async (body: string, headers: readonly string[] = []): Promise<void> => {
    await service.ask('SEND', ['destination', '/queue/user', ...headers], body)
  }

  await t.test('a valid order is stored and reaches owner and administrators', async (t) => {
    const order = {
      orderId: 'o-1',
      userId: 'bob',
      status: 'PLACED',
      items: [{ sku: 'tea', quantity: 2 }],
      note: 'At the back door',
      version: 3,
      updatedAt: '2030-01-31T09:30:00.000Z',
    }
    await publish(JSON.stringify({ ...order, unknown: 'dropped' }))
    t.same((await bob.message('orders')).payload, order)
    t.same((await admin.message('all')).payload, order)
    t.match((await bob.message('notes')).payload, {
      type: 'ORDER',
      title: 'Order o-1',
      message: 'Order o-1 has been placed',
      data: { orderId: 'o-1' },
    })
    const { orderId, ...fields } = order
    t.match(await store.orders.find(orderId), fields)
    t.match(await store.notifications.list('bob', { limit: 10 }), [{ title: 'Order o-1', readAt: null }])
  })

  await t.test('a repetition, or what was overtaken, changes nothing', async (t) => {
    const order = { orderId: 'o-2', userId: 'bob', status: 'READY', version: 2 }
    for (const version of [2, 2, 1, 2]) await publish(JSON.stringify({ ...order, version }))
    await publish(JSON.stringify({ ...order, status: 'SHIPPED', version: 3 }))
    t.match((await bob.message('orders')).payload, { version: 2, status: 'READY' })
    t.match((await bob.message('orders')).payload, { version: 3, status: 'SHIPPED' })
    t.match(
      (await store.orders.history('o-2', 10)).map(({ version }) => version),
      [2, 3],
    )
  })

  await t.test('a repetition without version and time changes nothing, whatever came between', async (t) => {
    const ready = JSON.stringify({ orderId: 'o-5', userId: 'bob', status: 'READY', items: [{ a: 1 }] })
    const placed = JSON.stringify({ orderId: 'o-5', userId: 'bob', status: 'PLACED' })
    const other = JSON.stringify({ items: [{ a: 1 }], status: 'READY', userId: 'bob', orderId: 'o-5', x: 1 })
    for (const body of [ready, placed, ready, other, placed]) await publish(body)
    await publish(ready, ['amqp-message-id', '2'])
    await publish(placed)
    await publish(ready, ['amqp-message-id', '2'])
    await publish(placed, ['amqp-message-id', '3'])
    await publish(JSON.stringify({ orderId: 'o-5', userId: 'bob', status: 'SHIPPED', version: 1 }))
    const seen = []
    for (let i = 0; i < 5; i++) seen.push((await bob.message('orders')).payload['status'])
    t.same(seen, ['READY', 'PLACED', 'READY', 'PLACED', 'SHIPPED'])
    t.equal((await store.orders.history('o-5', 10)).length, 5)
  })

  await t.test('what does not validate is a dead letter: a row with the reason, and a copy', async (t) => {
    for (const [i, [body, reason]] of [
      ['no json', /^invalid-payload: the body is not JSON$/],
      ['', /^invalid-payload: the body is not JSON$/],
      ['{"orderId":"o-3","userId":"bob","status":"LOST"}', /^invalid-payload: \/status /],
      ['{"orderId":7,"userId":"bob","status":"PLACED"}', /^invalid-payload: \/orderId /],
      ['{"orderId":"a b","userId":"bob","status":"PLACED"}', /^invalid-payload: \/orderId /],
      ['{"orderId":"o-3","status":"PLACED"}', /^invalid-payload: .*userId/],
      ['{"orderId":"o-3","userId":"bob","status":"PLACED","version":-1}', /^invalid-payload: \/version /],
      ['{"orderId":"o-3","userId":"bob","status":"PLACED","version":"1"}', /^invalid-payload: \/version /],
      [
        '{"orderId":"o-3","userId":"bob","status":"PLACED","updatedAt":"now"}',
        /^invalid-payload: \/updatedAt /,
      ],
      ['{"orderId":"o-3","userId":"bob","status":"PLACED","items":"tea"}', /^invalid-payload: \/items /],
      ['[]', /^invalid-payload: the body /],
    ].entries() as Iterable<[number, [string, RegExp]]>) {
      const forged = ['x-dead-letter-reason', 'none', 'x-dead-letter-id', 'none']
      await publish(body, ['x-try', `${i}`, 'content-type', 'application/json', ...forged])
      const { headers, body: copy } = await admin.next(
        'MESSAGE',
        (frame) => header(frame.headers, 'x-try') === `${i}`,
      )
      t.equal(header(headers, 'subscription'), 'dead')
      t.equal(Buffer.from(copy).toString(), body)
      t.equal(header(headers, 'content-type'), 'application/json')
      t.match(header(headers, 'x-dead-letter-reason'), reason)
      const row = await store.deadLetters.find(header(headers, 'x-dead-letter-id') ?? '')
      t.match(row, { queue: 'user', reason })
      t.equal(Buffer.from(row?.body ?? []).toString(), body)
      t.equal(header(row?.headers ?? [], 'x-try'), `${i}`)
    }
    t.equal(await store.orders.find('o-3'), null)
    t.equal((await store.deadLetters.list({ limit: 100 })).length, 11)
  })

  await t.test('and what comes behind it is taken all the same', async (t) => {
    await publish('{"orderId":"o-4","userId":"bob","status":"CANCELLED"}')
    t.match((await bob.message('orders')).payload, { orderId: 'o-4', status: 'CANCELLED' })
  })

  await t.test('a burst of orders loses none and keeps the order of each', async (t) => {
    const statuses = ['PLACED', 'PREPARED', 'READY', 'SHIPPED', 'DELIVERED'] as const
    for (let i = 0; i < 250; i++) {
      const order = { orderId: `b-${i % 50}`, userId: 'bob', status: statuses[Math.floor(i / 50)] }
      service.send('SEND', ['destination', '/queue/user'], JSON.stringify(order))
    }
    const seen = new Map<unknown, unknown[]>()
    for (let i = 0; i < 250; i++) {
      const { payload } = await bob.message('orders')
      seen.set(payload['orderId'], [...(seen.get(payload['orderId']) ?? []), payload['status']])
    }
    t.equal(seen.size, 50)
    for (const [orderId, got] of seen) t.same(got, statuses, String(orderId))
    // Whoever goes on with this node wants the dead letters for itself.
    await admin.ask('UNSUBSCRIBE', ['id', 'dead'])
  })
}
