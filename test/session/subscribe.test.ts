import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'

const relay = await useRelay(t, { LIMIT_SUBSCRIPTIONS: '5' })

await t.test('answers a subscription to /app once, and its UNSUBSCRIBE without the broker', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  await alice.ask(
    'SEND',
    ['destination', '/app/rooms/lobby/messages'],
    '{"content":"first","clientId":"c-1"}',
  )
  await alice.subscribe('first', '/topic/rooms.lobby', ['history', '1'])
  const { id: replyTo } = (await alice.message('first')).payload
  const second = JSON.stringify({ content: 'second', replyTo })
  await alice.ask('UNSUBSCRIBE', ['id', 'first'])
  await alice.ask('SEND', ['destination', '/app/rooms/lobby/messages'], second)
  await alice.subscribe('h', '/app/rooms/lobby/history', ['limit', '10'])
  const frame = await alice.next('MESSAGE')
  t.equal(header(frame.headers, 'destination'), '/app/rooms/lobby/history')
  const rows = JSON.parse(Buffer.from(frame.body).toString()) as Record<string, string>[]
  t.match(rows, [
    { content: 'second', room: 'lobby', sender: 'alice', replyTo: String(replyTo) },
    { content: 'first', clientId: 'c-1' },
  ])
  await alice.ask('UNSUBSCRIBE', ['id', 'h'])
  await alice.subscribe('h', '/app/rooms/lobby/history', ['before', rows[0]?.['id'] ?? ''])
  t.match(JSON.parse(Buffer.from((await alice.next('MESSAGE')).body).toString()), [{ content: 'first' }])
})

await t.test('tells what is wrong with a subscription and lets the session live', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  await alice.subscribe('errors', '/user/queue/errors')
  for (const [destination, headers, code] of [
    ['/app/nothing', [], 'unknown-destination'],
    ['/app/rooms/lobby/history', ['limit', '0'], 'invalid-header'],
    ['/app/rooms/lobby/history', ['limit', 'ten'], 'invalid-header'],
    ['/topic/prices', [], 'forbidden'],
    ['/topic/#', [], 'forbidden'],
    ['/queue/user', [], 'forbidden'],
    ['/user/bob/queue/orders', [], 'forbidden'],
    ['/user/queue/orders', ['ack', 'client'], 'invalid-header'],
  ] as const) {
    alice.send('SUBSCRIBE', ['id', 'x', 'destination', destination, ...headers])
    t.match((await alice.message('errors')).payload, { code, destination }, destination)
  }
  t.ok(await alice.ask('SEND', ['destination', '/app/messages'], '{"content":"still here"}'))
})

await t.test('refuses destinations that lead nowhere, whatever the role', async (t) => {
  const admin = await StompClient.connect(t, relay.url, { login: 'admin' })
  await admin.subscribe('errors', '/user/queue/errors')
  for (const [command, destination] of [
    ['SUBSCRIBE', '/topic/a/b'],
    ['SUBSCRIBE', '/topic/'],
    ['SUBSCRIBE', '/elsewhere'],
    ['SUBSCRIBE', '/user/bob/queue/orders'],
    ['SEND', '/user/bob'],
    ['SEND', '/user/bob/topic/x'],
    ['SEND', '/user//queue/x'],
    ['SEND', '/user/bob/queue/'],
    ['SEND', '/queue/'],
  ] as const) {
    admin.send(command, ['id', 'x', 'destination', destination])
    const { payload } = await admin.message('errors')
    t.match(
      payload,
      { code: /^(forbidden|invalid-destination|unknown-destination)$/, destination },
      destination,
    )
  }
})

await t.test('refuses one subscription more than a session may have', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  await alice.subscribe('errors', '/user/queue/errors')
  for (let i = 1; i < 5; i++) await alice.subscribe(`s${i}`, '/topic/messages')
  alice.send('SUBSCRIBE', ['id', 's5', 'destination', '/topic/messages'])
  t.match((await alice.message('errors')).payload, { code: 'too-many-subscriptions' })
  await alice.ask('UNSUBSCRIBE', ['id', 's1'])
  await alice.subscribe('s5', '/topic/messages')
})

await t.test('ends the session for what no client should do', async (t) => {
  for (const [headers, message] of [
    [['id', 's', 'destination', '/topic/messages', 'ack', 'later'], /ack:later/],
    [['id', 's'], /missing header.*destination/],
    [['destination', '/topic/messages'], /missing header.*id/],
    [['id', 'twice', 'destination', '/topic/messages'], /in use/],
    [['id', '/temp-queue/mine', 'destination', '/topic/messages'], /begin with/],
  ] as const) {
    const client = await StompClient.connect(t, relay.url, { login: 'bob' })
    await client.subscribe('twice', '/topic/messages')
    client.send('SUBSCRIBE', headers)
    t.match(header((await client.next('ERROR')).headers, 'message'), message)
    t.equal((await client.closed).code, 1002)
  }
})

await t.test('ends the session that unsubscribes from what it never had', async (t) => {
  const client = await StompClient.connect(t, relay.url, { login: 'bob' })
  client.send('UNSUBSCRIBE', ['id', 'nothing'])
  t.match(header((await client.next('ERROR')).headers, 'message'), /unknown subscription/)
})

await t.test('sends nothing more after UNSUBSCRIBE was answered', async (t) => {
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  await service.subscribe('s', '/topic/short')
  await service.subscribe('t', '/topic/short')
  await service.ask('UNSUBSCRIBE', ['id', 's'])
  await service.ask('SEND', ['destination', '/topic/short'], 'x')
  await service.next('MESSAGE', ({ headers }) => header(headers, 'subscription') === 't')
  t.notOk(service.inbox.some(({ command }) => command === 'MESSAGE'))
})

await t.test('lets a 1.0 client leave the id out', async (t) => {
  const old = await StompClient.connect(t, relay.url, { login: 'alice', version: '1.0' })
  await old.ask('SUBSCRIBE', ['destination', '/topic/messages'])
  await old.ask('SEND', ['destination', '/app/messages'], '{"content":"old"}')
  t.match(JSON.parse(Buffer.from((await old.next('MESSAGE')).body).toString()), { content: 'old' })
  await old.ask('UNSUBSCRIBE', ['destination', '/topic/messages'])
  old.send('SUBSCRIBE', ['destination', '/topic/messages', 'durable', 'true'])
  t.match(
    header((await old.next('ERROR')).headers, 'message'),
    /SUBSCRIBE needs id/,
    'but not of a durable one',
  )
})

await t.test('keeps orders to their owner: neither a stranger nor a wildcard sees them', async (t) => {
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
  const admin = await StompClient.connect(t, relay.url, { login: 'admin' })
  await service.subscribe('all', '/topic/#')
  await admin.subscribe('orders', '/topic/orders')
  await alice.subscribe('mine', '/user/queue/orders')
  await bob.subscribe('errors', '/user/queue/errors')
  const order = { orderId: '77', userId: 'alice', status: 'PLACED' }
  await service.ask('SEND', ['destination', '/queue/user'], JSON.stringify(order))
  t.match((await alice.message('mine')).payload, order)
  t.match((await admin.message('orders')).payload, order)
  await alice.subscribe('one', '/topic/orders.77')
  bob.send('SUBSCRIBE', ['id', 'spy', 'destination', '/topic/orders.77'])
  t.match((await bob.message('errors')).payload, { code: 'forbidden' })
  await service.ask('SEND', ['destination', '/queue/user'], JSON.stringify({ ...order, status: 'READY' }))
  t.match((await alice.message('one')).payload, { orderId: '77', status: 'READY' })
  await service.ask('SEND', ['destination', '/topic/end'], 'end')
  const seen: string[] = []
  while (seen.at(-1) !== '/topic/end') {
    seen.push(header((await service.next('MESSAGE')).headers, 'destination') ?? '')
  }
  // Who comes and goes is told to whoever listens to all.
  const others = seen.filter((destination) => destination !== '/topic/presence')
  t.same(others, ['/topic/end'], 'the wildcard saw no order before')
})

await t.test('refuses special subscriptions to what all clients of a node share', async (t) => {
  const admin = await StompClient.connect(t, relay.url, { login: 'admin' })
  await admin.subscribe('errors', '/user/queue/errors')
  admin.send('SUBSCRIBE', ['id', 'o', 'destination', '/topic/orders', 'ack', 'client'])
  t.match((await admin.message('errors')).payload, { code: 'invalid-header' })
})
