import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { Type } from 'typebox'
import { violation } from '../../protocol/errors.ts'
import { header } from '../../protocol/frame.ts'
import { MessageError, SessionError } from '../../src/errors.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { nextState, type SessionEvent, type SessionState } from '../../src/session/session-state.ts'
import { MAX_IN_FLIGHT } from '../../src/session/workload.ts'
import { until } from '../support/until.ts'
import { sessionRig } from '../support/session-rig.ts'

await t.test('only ever moves forward', async (t) => {
  const legal: Partial<Record<`${SessionState} ${SessionEvent}`, SessionState>> = {
    'NEW connect': 'CONNECTING',
    'NEW close': 'CLOSING',
    'CONNECTING authenticated': 'CONNECTED',
    'CONNECTING close': 'CLOSING',
    'CONNECTED close': 'CLOSING',
  }
  for (const state of ['NEW', 'CONNECTING', 'CONNECTED', 'CLOSING'] as const) {
    for (const event of ['connect', 'authenticated', 'close'] as const) {
      t.equal(nextState(state, event), legal[`${state} ${event}`], `${state} ${event}`)
    }
  }
})

await t.test('refuses CONNECT when nobody says who it is', async (t) => {
  const { transport, receive } = await sessionRig(t)
  receive('CONNECT', ['accept-version', '1.2'])
  t.equal(header((await transport.frame('ERROR')).headers, 'message'), 'authentication failed')
  t.equal(transport.closedWith?.code, 1002)
})

await t.test('has no identity before it is authenticated', async (t) => {
  const { session } = await sessionRig(t)
  t.throws(() => session.view, TypeError)
})

await t.test('is not registered when the client has left while its credentials were checked', async (t) => {
  const gate = deferred()
  const { session, transport, registry, receive } = await sessionRig(t, [() => gate.promise])
  receive('CONNECT', ['accept-version', '1.2', 'login', 'alice'])
  t.equal(transport.isPaused, false, 'its leaving must be noticed')
  receive('SEND', ['destination', '/topic/early'], 'waits')
  await session.end()
  gate.resolve()
  await setImmediate()
  t.equal(registry.size, 0)
  t.equal(transport.heartBeat, undefined)
  t.notOk(transport.frames.some(({ command }) => command === 'CONNECTED'))
})

await t.test('takes no frame once it is closing, nor those that waited', async (t) => {
  const gate = deferred()
  const { session, transport, app, receive, connect } = await sessionRig(t)
  let handled = 0
  app.subscription('/app/slow', { answer: () => gate.promise })
  app.message('/app/count', { payload: Type.Unknown(), handle: async () => void handled++ })
  await connect()
  receive('SUBSCRIBE', ['id', 's', 'destination', '/app/slow'])
  receive('SEND', ['destination', '/app/count'], '1')
  receive('SEND', ['destination', '/app/count'], '2')
  t.equal(handled, 0, 'frames wait behind a SUBSCRIBE')
  session.shutDown()
  session.shutDown()
  receive('SEND', ['destination', '/app/count'], '3')
  gate.resolve()
  await session.idle()
  t.equal(handled, 0)
  t.same(transport.closedWith, { code: 1001, reason: 'server is shutting down' })
  t.equal(session.subscriptions.has('s'), false, 'nothing is subscribed after the end')
})

await t.test('says nothing more once it is closing', async (t) => {
  const rig = await sessionRig(t)
  await rig.connect()
  rig.session.shutDown()
  rig.session.violate(violation('heart-beat-missed'))
  t.same(rig.transport.frames, [])
  t.equal(rig.transport.closedWith?.code, 1001)
})

await t.test('lets go of a subscription that the broker granted after the client had left', async (t) => {
  const { session, broker, receive, connect } = await sessionRig(t)
  await connect()
  receive('SUBSCRIBE', ['id', 's', 'destination', '/topic/late'])
  await session.end()
  await session.idle()
  t.equal(session.subscriptions.size, 0)
  await broker.publish({
    address: { kind: 'topic', topic: 'late' },
    headers: [],
    body: Buffer.from('x'),
    persistent: false,
  })
})

await t.test('holds frames back when as many as may be are under way', async (t) => {
  const gate = deferred()
  const { transport, app, receive, connect } = await sessionRig(t)
  let begun = 0
  app.message('/app/slow', {
    payload: Type.Unknown(),
    handle: () => {
      begun++
      return gate.promise
    },
  })
  await connect()
  const pausesBefore = transport.pauses
  for (let i = 0; i < MAX_IN_FLIGHT + 10; i++)
    receive('SEND', ['destination', '/app/slow', 'receipt', `r${i}`], '0')
  await until(() => begun === MAX_IN_FLIGHT)
  await setImmediate()
  await setImmediate()
  t.equal(begun, MAX_IN_FLIGHT)
  t.equal(transport.isPaused, true)
  gate.resolve()
  await transport.until(() => transport.frames.length === MAX_IN_FLIGHT + 10)
  t.equal(begun, MAX_IN_FLIGHT + 10)
  t.equal(transport.isPaused, false)
  t.ok(transport.pauses > pausesBefore)
})

await t.test('waits for an interceptor that needs time before it takes the next frame', async (t) => {
  const gates = [deferred(), deferred()]
  const order: string[] = []
  const { transport, app, receive, connect } = await sessionRig(t, [
    (call) => (call.kind === 'SEND' ? gates.shift()?.promise : undefined),
  ])
  app.message('/app/{name}', {
    payload: Type.Unknown(),
    handle: async ({ params }) => void order.push(params['name'] ?? ''),
  })
  await connect()
  const [first, second] = gates
  receive('SEND', ['destination', '/app/first', 'receipt', '1'], '0')
  receive('SEND', ['destination', '/app/second', 'receipt', '2'], '0')
  second?.resolve()
  t.same(order, [])
  first?.resolve()
  await transport.until(() => transport.frames.length === 2)
  t.same(order, ['first', 'second'])
})

await t.test('tells the client when an interceptor refuses after a while', async (t) => {
  const { transport, receive, connect } = await sessionRig(t, [
    async (call) => {
      if (call.kind !== 'CONNECT') throw new MessageError('forbidden', 'no')
    },
  ])
  await connect()
  receive('SEND', ['destination', '/app/x', 'receipt', 'r'], '0')
  const { headers } = await transport.frame('ERROR')
  t.match(header(headers, 'message'), /forbidden: no/)
  t.equal(header(headers, 'receipt-id'), 'r')
})

await t.test('tells of an internal error no more than an id', async (t) => {
  const { transport, app, receive, connect } = await sessionRig(t)
  app.message('/app/broken', {
    payload: Type.Unknown(),
    handle: () => Promise.reject(new TypeError('secret of the inside')),
  })
  await connect()
  receive('SUBSCRIBE', ['id', 'errors', 'destination', '/user/queue/errors', 'receipt', 'r'])
  await transport.frame('RECEIPT')
  receive('SEND', ['destination', '/app/broken'], '0')
  const fault = JSON.parse(Buffer.from((await transport.frame('MESSAGE')).body).toString()) as Record<
    string,
    string
  >
  t.match(fault, { code: 'internal', message: /^internal error [\w-]{36}$/, destination: '/app/broken' })
  t.notMatch(JSON.stringify(fault), /secret/)
})

await t.test("ends with the client's own broker session", async (t) => {
  const { transport, app, receive, connect } = await sessionRig(t)
  app.message('/app/lost', {
    payload: Type.Unknown(),
    handle: () => Promise.reject(new SessionError('connection-lost', 'the broker closed it')),
  })
  await connect()
  receive('SEND', ['destination', '/app/lost', 'receipt', 'r'], '0')
  const { headers } = await transport.frame('ERROR')
  t.match(header(headers, 'message'), /broker session lost: the broker closed it/)
  t.equal(header(headers, 'receipt-id'), 'r')
  t.equal(transport.closedWith?.code, 1011)
})

await t.test('does not wait for ever at DISCONNECT', async (t) => {
  const { transport, app, receive, connect } = await sessionRig(t)
  const never = deferred()
  t.teardown(() => never.resolve())
  app.message('/app/never', { payload: Type.Unknown(), handle: () => never.promise })
  await connect()
  receive('SEND', ['destination', '/app/never'], '0')
  receive('DISCONNECT', ['receipt', 'bye'])
  const { headers } = await transport.frame('ERROR')
  t.match(header(headers, 'message'), /still waiting/)
  t.equal(header(headers, 'receipt-id'), 'bye')
  t.ok(transport.closedWith)
})

await t.test('does not wait for ever at DISCONNECT where the client listens for faults', async (t) => {
  const { transport, app, receive, connect } = await sessionRig(t)
  const never = deferred()
  t.teardown(() => never.resolve())
  app.message('/app/never', { payload: Type.Unknown(), handle: () => never.promise })
  await connect()
  receive('SUBSCRIBE', ['id', 'errors', 'destination', '/user/queue/errors', 'receipt', 'r'])
  await transport.frame('RECEIPT')
  receive('SEND', ['destination', '/app/never'], '0')
  receive('DISCONNECT', ['receipt', 'bye'])
  t.match(JSON.parse(Buffer.from((await transport.frame('MESSAGE')).body).toString()), {
    code: 'broker-unavailable',
  })
  await transport.until(() => transport.closedWith !== undefined)
  t.equal(transport.closedWith?.code, 1002)
})

await t.test('lets a handler answer its own session only, where it listens', async (t) => {
  const { transport, app, receive, connect } = await sessionRig(t)
  app.message('/app/ask', {
    payload: Type.Unknown(),
    handle: async ({ reply, sessionId }) => reply('/user/queue/errors', { answer: sessionId }),
  })
  app.subscription('/app/ask', {
    answer: async ({ reply }) => {
      reply('/user/queue/errors', { answer: 'on the side' })
      return 'the answer'
    },
  })
  await connect()
  receive('SEND', ['destination', '/app/ask', 'receipt', '1'], '0')
  await transport.frame('RECEIPT')
  t.equal(transport.frames.length, 0, 'nobody listens')
  receive('SUBSCRIBE', ['id', 'errors', 'destination', '/user/queue/errors'])
  receive('SEND', ['destination', '/app/ask'], '0')
  t.match(Buffer.from((await transport.frame('MESSAGE')).body).toString(), /answer/)
  receive('SUBSCRIBE', ['id', 'a', 'destination', '/app/ask'])
  t.match(Buffer.from((await transport.frame('MESSAGE')).body).toString(), /on the side/)
  t.equal(Buffer.from((await transport.frame('MESSAGE')).body).toString(), '"the answer"')
})

await t.test('refuses to subscribe to what can only be sent to', async (t) => {
  const { transport, receive, connect } = await sessionRig(t)
  await connect()
  receive('SUBSCRIBE', ['id', 's', 'destination', '/user/bob/queue/orders'])
  t.match(header((await transport.frame('ERROR')).headers, 'message'), /invalid-destination/)
})

await t.test('sends to its own user where a user destination names no user', async (t) => {
  const { transport, receive, connect } = await sessionRig(t)
  await connect()
  receive('SUBSCRIBE', ['id', 's', 'destination', '/user/queue/notes', 'receipt', 'r'])
  await transport.frame('RECEIPT')
  receive('SEND', ['destination', '/user/queue/notes'], 'to myself')
  t.equal(Buffer.from((await transport.frame('MESSAGE')).body).toString(), 'to myself')
})

await t.test('asks the broker for what only a session of its own gives', async (t) => {
  const { transport, receive, connect } = await sessionRig(t)
  await connect()
  const long = 'x'.repeat(300)
  for (const [id, destination, headers] of [
    ['ack', '/topic/a', ['ack', 'client']],
    ['prefetch', '/topic/a', ['prefetch-count', '5']],
    ['long', `/topic/${long}`, []],
  ] as const) {
    receive('SUBSCRIBE', ['id', id, 'destination', destination, ...headers, 'receipt', id])
    await transport.frame('RECEIPT')
  }
  receive('SEND', ['destination', `/topic/${long}`], 'far')
  t.equal(header((await transport.frame('MESSAGE')).headers, 'subscription'), 'long')
  receive('SEND', ['destination', '/topic/a'], 'near')
  const near = [await transport.frame('MESSAGE'), await transport.frame('MESSAGE')]
  const acked = near.find(({ headers }) => header(headers, 'subscription') === 'ack')
  receive('BEGIN', ['transaction', 't1'])
  receive('ACK', ['id', header(acked?.headers ?? [], 'ack') ?? '', 'transaction', 't1', 'receipt', 'acked'])
  t.equal(header((await transport.frame('RECEIPT')).headers, 'receipt-id'), 'acked')
  receive('COMMIT', ['transaction', 't1', 'receipt', 'done'])
  await transport.frame('RECEIPT')
})

await t.test(
  'removes a durable subscription by id, though it has not subscribed to it in this session',
  async (t) => {
    const { transport, receive, connect } = await sessionRig(t)
    await connect()
    receive('UNSUBSCRIBE', ['id', 'old', 'durable', 'true', 'destination', '/topic/a', 'receipt', 'r'])
    await transport.until(() => transport.frames.length > 0)
    t.not(transport.frames[0]?.command, undefined, 'the broker decides')
  },
)

await t.test('publishes to a private topic where no wildcard comes', async (t) => {
  const { transport, receive, connect } = await sessionRig(t)
  await connect()
  receive('SUBSCRIBE', ['id', 'all', 'destination', '/topic/#'])
  receive('SUBSCRIBE', ['id', 'one', 'destination', '/topic/orders.5', 'receipt', 'r'])
  await transport.frame('RECEIPT')
  receive('SEND', ['destination', '/topic/orders.5'], 'x')
  t.equal(header((await transport.frame('MESSAGE')).headers, 'subscription'), 'one')
  t.equal(transport.frames.length, 0)
})
