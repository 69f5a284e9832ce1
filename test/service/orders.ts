import { connect } from 'amqplib'
import type { Test } from 'tap'
import { audited } from '../support/audited.ts'
import { ApiClient, type ApiAnswer } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'
import { StompClient } from '../support/stomp-client.ts'
import { publishByStomp } from '../support/stompit.ts'

type Order = Readonly<Record<string, unknown>>

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()

/** The same order every time, and no other than it was. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed
  const next = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0)
  return items
    .map((item) => ({ item, place: next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

/** CONTRACT, sections 5 and 7: orders. */
export async function orders(t: Test, service: Service): Promise<void> {
  const { west, east, stompUrl, amqpUrl } = service
  const shops = [
    await StompClient.connect(t, west.url, { login: 'orders' }),
    await StompClient.connect(t, east.url, { login: 'orders' }),
  ] as const
  const send = async (order: Order, shop = shops[0]): Promise<void> => {
    await shop.ask('SEND', ['destination', '/queue/user'], JSON.stringify(order))
  }
  const bob = await ApiClient.as(east, 'bob')
  const admin = await ApiClient.as(west, 'root', 'admin')
  const follower = await StompClient.connect(t, east.url, { login: 'admin' })
  /** Follows an order at `east`, from now on. */
  const follow = (orderId: string): Promise<void> => follower.subscribe(orderId, `/topic/orders.${orderId}`)
  const historyOf = async (orderId: string): Promise<readonly Order[]> =>
    (await admin.get(`/orders/${orderId}`)).body['history'] as readonly Order[]

  await t.test(
    'SEND /queue/user is taken by one node, and reaches owner and admins at the other',
    async (t) => {
      const owner = await StompClient.connect(t, east.url, { login: 'bob' })
      await owner.subscribe('q', '/user/queue/orders')
      await owner.subscribe('n', '/user/queue/notifications')
      await follower.subscribe('all', '/topic/orders')
      const ways = new Map<string, (order: Order) => Promise<void>>([['relay', (order) => send(order)]])
      if (stompUrl !== undefined) {
        ways.set('stomp', (order) =>
          publishByStomp(stompUrl, { destination: '/queue/user' }, JSON.stringify(order)),
        )
      }
      if (amqpUrl !== undefined) ways.set('amqp', (order) => publishByAmqp(amqpUrl, order))
      for (const [way, publish] of ways) {
        const order = {
          orderId: `by-${way}`,
          userId: 'bob',
          status: 'READY',
          items: [{ sku: 'tea', quantity: 2 }],
          note: 'At the back door',
          version: 3,
          updatedAt: at(1),
        }
        await follow(order.orderId)
        await publish(order)
        for (const id of [order.orderId, 'all']) t.same((await follower.message(id)).payload, order, id)
        t.same((await owner.message('q')).payload, order)
        t.match((await owner.message('n')).payload, { type: 'ORDER', data: { orderId: order.orderId } })
        t.equal((await historyOf(order.orderId)).length, 1, 'taken once')
      }
      await follower.ask('UNSUBSCRIBE', ['id', 'all'])
    },
  )

  await t.test('SEND /queue/user and its topics are not for those whom they do not concern', async (t) => {
    const mallory = await StompClient.connect(t, east.url, { login: 'alice' })
    await mallory.subscribe('e', '/user/queue/errors')
    await send({ orderId: 'private', userId: 'bob', status: 'PLACED' })
    mallory.send(
      'SEND',
      ['destination', '/queue/user'],
      '{"orderId":"own","userId":"alice","status":"READY"}',
    )
    t.match((await mallory.message('e')).payload, { code: 'forbidden', destination: '/queue/user' })
    for (const topic of ['/topic/orders', '/topic/orders.private', '/topic/orders.none', '/topic/orders.*']) {
      mallory.send('SUBSCRIBE', ['id', topic, 'destination', topic])
      t.match((await mallory.message('e')).payload, { code: 'forbidden', destination: topic })
    }
    t.equal((await admin.get('/orders/own')).status, 404)
  })

  await t.test('SEND /queue/user, out of order and repeated, ends at the newest version', async (t) => {
    const ids = ['sh-1', 'sh-2', 'sh-3']
    const updates = ids.flatMap((orderId) =>
      [1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1].map((version) => ({
        orderId,
        userId: 'bob',
        status: version === 6 ? 'DELIVERED' : 'PREPARED',
        note: `v${version}`,
        version,
      })),
    )
    for (const id of ids) await follow(id)
    await Promise.all(shuffled(updates, 7).map((update, i) => send(update, shops[i % 2 === 0 ? 0 : 1])))
    for (const id of ids) {
      let last: Order = {}
      while (last['version'] !== 6) last = (await follower.message(id)).payload
      t.match(last, { status: 'DELIVERED', note: 'v6' })
      const versions = (await historyOf(id)).map(({ version }) => Number(version))
      t.same(
        versions,
        [...new Set(versions)].toSorted((a, b) => a - b),
        'each once, and none after a newer one',
      )
      t.match((await bob.get(`/orders/${id}`)).body, { status: 'DELIVERED', note: 'v6', version: 6 })
    }
  })

  await t.test('SEND /queue/user without versions goes by time', async (t) => {
    const updates = [1, 2, 3, 4, 5, 5, 4, 3, 2, 1].map((minute) => ({
      orderId: 'timed',
      userId: 'bob',
      status: 'PREPARED',
      note: `${minute}`,
      updatedAt: at(minute),
    }))
    await follow('timed')
    await Promise.all(shuffled(updates, 3).map((update, i) => send(update, shops[i % 2 === 0 ? 0 : 1])))
    let last: Order = {}
    while (last['note'] !== '5') last = (await follower.message('timed')).payload
    const times = (await historyOf('timed')).map((state) => String(state['at']))
    t.same(times, [...new Set(times)].toSorted())
    t.equal(times.at(-1), at(5))
  })

  await t.test('SEND /queue/user without version and time, repeated, changes nothing', async (t) => {
    const order = { orderId: 'plain', userId: 'bob' }
    await follow('plain')
    for (const status of ['READY', 'PREPARED']) {
      await send({ ...order, status })
      t.match((await follower.message('plain')).payload, { status })
    }
    await send({ ...order, status: 'READY' })
    await send({ ...order, status: 'SHIPPED' })
    t.match((await follower.message('plain')).payload, { status: 'SHIPPED' })
    t.same(
      (await historyOf('plain')).map(({ status }) => status),
      ['READY', 'PREPARED', 'SHIPPED'],
    )
  })

  await t.test('GET /orders lists the own ones, and for admins all', async (t) => {
    const ids = ['l-1', 'l-2', 'l-3', 'l-4', 'l-5']
    for (const orderId of ids) {
      const status = orderId === 'l-3' ? 'SHIPPED' : 'PLACED'
      await follow(orderId)
      await send({ orderId, userId: orderId === 'l-5' ? 'dave' : 'carl', status })
      await follower.message(orderId)
    }
    const carl = await ApiClient.as(east, 'carl')
    const idsOf = ({ body }: ApiAnswer) => body.items.map(({ orderId }) => orderId)
    t.same(idsOf(await carl.get('/orders')), ['l-4', 'l-3', 'l-2', 'l-1'])
    t.same(idsOf(await carl.get('/orders?user=carl&status=SHIPPED')), ['l-3'])
    const first = await carl.get('/orders?limit=3')
    t.same(idsOf(first), ['l-4', 'l-3', 'l-2'])
    const rest = await carl.get(`/orders?limit=3&cursor=${String(first.body['cursor'])}`)
    t.same(idsOf(rest), ['l-1'])
    t.equal(rest.body['cursor'], undefined)
    t.same(idsOf(await admin.get('/orders?user=dave')), ['l-5'])
    t.ok(new Set(idsOf(await admin.get('/orders'))).has('l-5'))
    t.same(idsOf(await admin.get('/orders?user=carl&status=SHIPPED')), ['l-3'])
    t.equal((await carl.get('/orders?user=dave')).status, 403)
    t.equal((await ApiClient.nobody(east).get('/orders')).status, 401)
    t.same(idsOf(await (await ApiClient.as(east, 'orders', 'service')).get('/orders')), [], 'it has none')
    for (const query of ['status=LOST', 'limit=0', 'limit=201', 'cursor=%00', 'cursor=a%20b', 'user=a/b']) {
      const { status, body } = await admin.get(`/orders?${query}`)
      t.match({ status, code: body['code'] }, { status: 400, code: 'invalid-query' }, query)
    }
  })

  await t.test('GET /orders/{id} shows the order and its history to its owner and to admins', async (t) => {
    await follow('h-1')
    const order = { orderId: 'h-1', userId: 'bob', items: [{ sku: 'tea' }] }
    await send({ ...order, status: 'PLACED', version: 1, updatedAt: at(1) })
    await follower.message('h-1')
    await send({ ...order, status: 'READY', version: 2, updatedAt: at(2), note: 'soon' })
    await follower.message('h-1')
    t.equal((await admin.patch('/orders/h-1', { status: 'CANCELLED' })).status, 200)
    const expected = [
      { status: 'PLACED', version: 1, at: at(1) },
      { status: 'READY', version: 2, at: at(2), note: 'soon' },
      { status: 'CANCELLED', version: 2, note: 'soon' },
    ]
    const { status, body } = await bob.get('/orders/h-1')
    t.equal(status, 200)
    t.match(body, { ...order, status: 'CANCELLED', version: 2, history: expected })
    t.notMatch(JSON.stringify(body), 'root', 'who did it is for admins')
    t.match((await admin.get('/orders/h-1')).body['history'], [{}, {}, { ...expected[2], by: 'root' }])
    for (const path of ['/orders/h-1', '/orders/none', '/orders/a%00b', `/orders/${'x'.repeat(65)}`]) {
      const { status: refused, text } = await (await ApiClient.as(east, 'mallory')).get(path)
      t.equal(refused, 404, path)
      t.notMatch(text, 'h-1')
    }
    t.equal((await (await ApiClient.as(east, 'orders', 'service')).get('/orders/h-1')).status, 404)
    t.equal((await ApiClient.nobody(east).get('/orders/h-1')).status, 401)
  })

  await t.test('PATCH /orders/{id} changes it for everybody at the other node, once', async (t) => {
    await follow('p-1')
    await send({ orderId: 'p-1', userId: 'bob', status: 'PLACED', version: 1 })
    await follower.message('p-1')
    const owner = await StompClient.connect(t, east.url, { login: 'bob' })
    await owner.subscribe('q', '/user/queue/orders')
    await owner.subscribe('n', '/user/queue/notifications')
    await owner.subscribe('o', '/topic/orders.p-1')
    const patch = { status: 'CANCELLED', note: 'Sold out', clientId: 'c-1' }
    const answer = await admin.patch('/orders/p-1', patch)
    t.equal(answer.status, 200)
    t.match(answer.body, { orderId: 'p-1', userId: 'bob', status: 'CANCELLED', note: 'Sold out', version: 1 })
    for (const id of ['q', 'o']) {
      t.match((await owner.message(id)).payload, { status: 'CANCELLED', note: 'Sold out', version: 1 })
    }
    t.match((await owner.message('n')).payload, { message: 'Order p-1 has been cancelled' })
    t.match((await follower.message('p-1')).payload, { status: 'CANCELLED' })
    t.match(
      await admin.patch('/orders/p-1', { ...patch, status: 'READY' }),
      { body: answer.body },
      'a repetition',
    )
    t.equal((await admin.patch('/orders/p-1', { status: 'CANCELLED' })).status, 200, 'as it is already')
    t.equal((await historyOf('p-1')).length, 2)
    await audited(west, 'root', 'PATCH /api/v1/orders/p-1')
  })

  await t.test('PATCH /orders/{id} is for administrators, and names what is wrong', async (t) => {
    await send({ orderId: 'p-2', userId: 'bob', status: 'PLACED' })
    t.equal((await ApiClient.nobody(east).patch('/orders/p-2', { status: 'READY' })).status, 401)
    for (const caller of [bob, await ApiClient.as(east, 'orders', 'service')]) {
      for (const path of ['/orders/p-2', '/orders/none']) {
        t.equal((await caller.patch(path, { status: 'READY' })).status, 403, 'not even its owner')
      }
    }
    for (const body of [
      undefined,
      {},
      { status: 'LOST' },
      { status: 'READY', note: 7 },
      { status: 'READY', note: 'x'.repeat(2001) },
      { status: 'READY', clientId: '' },
    ]) {
      const answer = await admin.patch('/orders/p-2', body)
      t.match({ status: answer.status, code: answer.body['code'] }, { status: 400, code: 'invalid-payload' })
    }
    for (const path of ['/orders/none', '/orders/a%20b']) {
      t.equal((await admin.patch(path, { status: 'READY' })).status, 404, path)
    }
  })

  await t.test('PATCH /orders/{id} stands until the order service says something newer', async (t) => {
    const order = { orderId: 'p-3', userId: 'bob', status: 'READY' }
    await follow('p-3')
    await send({ ...order, version: 1, updatedAt: at(1) })
    await follower.message('p-3')
    await admin.patch('/orders/p-3', { status: 'CANCELLED' })
    t.match((await follower.message('p-3')).payload, { status: 'CANCELLED', version: 1 })
    await send({ ...order, version: 1, updatedAt: at(1) })
    await send({ ...order, version: 2, updatedAt: at(2) })
    await send({ ...order, version: 3, status: 'SHIPPED', updatedAt: '2099-01-01T00:00:00.000Z' })
    t.match((await follower.message('p-3')).payload, { status: 'SHIPPED', version: 3 })
    t.same(
      (await historyOf('p-3')).map(({ status, version }) => [status, version]),
      [
        ['READY', 1],
        ['CANCELLED', 1],
        ['SHIPPED', 3],
      ],
    )
  })
}

async function publishByAmqp(url: string, order: Order): Promise<void> {
  const connection = await connect(url)
  const channel = await connection.createConfirmChannel()
  channel.sendToQueue('user', Buffer.from(JSON.stringify(order)))
  await channel.waitForConfirms()
  await connection.close()
}
