import { setImmediate, setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Type } from 'typebox'
import { header } from '../../protocol/frame.ts'
import type { BrokerSessionSink, SessionMessage } from '../../src/broker/broker.ts'
import { MessageError, SessionError } from '../../src/errors.ts'
import { at } from '../../src/lib/at.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { MAX_LOST } from '../../src/session/subscriptions.ts'
import { Inbox } from '../support/inbox.ts'
import { sessionRig, type SessionRig } from '../support/session-rig.ts'

await t.test('takes nothing more from a queue once it is closing, though its socket lingers', async (t) => {
  const { transport, broker, receive, connect } = await sessionRig(t)
  await connect()
  receive('SUBSCRIBE', ['id', 'q', 'destination', '/queue/work', 'receipt', 'r'])
  await transport.frame('RECEIPT')
  receive('DISCONNECT', ['receipt', 'bye'])
  await transport.until(() => transport.closedWith !== undefined)
  const other = new Inbox<SessionMessage>()
  const sink = { onMessage: other.push, onCancelled: () => undefined, onEnd: () => undefined }
  const second = await broker.openSession({ name: 'bob' }, sink)
  await second.subscribe({ id: 'q', destination: '/queue/work', ack: 'auto', headers: [] })
  for (let i = 0; i < 10; i++) {
    const message = { destination: '/queue/work', headers: [], body: Buffer.from(`${i}`) }
    await second.send(message, { confirm: true })
  }
  const bodies = (await other.atLeast(10)).map(({ body }) => Buffer.from(body).toString())
  t.same(bodies, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
})

await t.test('says that its token runs out, and ends with it', async (t) => {
  const { session, transport, receive } = await sessionRig(t, [
    (call) => {
      if (call.kind === 'CONNECT')
        call.principal = { name: 'a', roles: ['user'], expiresAtMs: Date.now() + 31_000 }
    },
  ])
  receive('CONNECT', ['accept-version', '1.2'])
  await transport.frame('CONNECTED')
  receive('SUBSCRIBE', ['id', 'errors', 'destination', '/user/queue/errors', 'receipt', 'r'])
  await transport.frame('RECEIPT')
  const warning = await transport.frame('MESSAGE')
  t.match(JSON.parse(Buffer.from(warning.body).toString()), { code: 'token-expiring' })
  session.authenticated({ name: 'a', roles: ['user'], expiresAtMs: Date.now() - 1 })
  t.match(header((await transport.frame('ERROR')).headers, 'message'), /session ended: the token ran out/)
  t.equal(transport.closedWith?.code, 1008)
})

/** Lets somebody in for so long. */
async function visitor(t: Test, leftMs: number): Promise<SessionRig> {
  const rig = await sessionRig(t, [
    (call) => {
      if (call.kind === 'CONNECT')
        call.principal = { name: 'a', roles: ['user'], expiresAtMs: Date.now() + leftMs }
    },
  ])
  rig.receive('CONNECT', ['accept-version', '1.2'])
  await rig.transport.frame('CONNECTED')
  return rig
}

await t.test(
  'says so once to a client that listens later, and not where a fresh token came first',
  async (t) => {
    const { session, transport, receive } = await visitor(t, 25_000)
    const listen = async (id: string): Promise<void> => {
      receive('SUBSCRIBE', ['id', id, 'destination', '/user/queue/errors', 'receipt', id])
      await transport.frame('RECEIPT')
    }
    // The warning is due at once: behind this wait it is overdue.
    await delay(1)
    await listen('one')
    t.equal(transport.frames.filter(({ command }) => command === 'MESSAGE').length, 1)
    await listen('two')
    t.equal(transport.frames.filter(({ command }) => command === 'MESSAGE').length, 1)
    const late = await visitor(t, 25_000)
    await delay(1)
    late.session.prolong({ name: 'a', roles: ['user'], expiresAtMs: Date.now() + 3_600_000 })
    late.receive('SUBSCRIBE', ['id', 'e', 'destination', '/user/queue/errors', 'receipt', 'r'])
    await late.transport.frame('RECEIPT')
    t.strictSame(late.transport.frames, [])
    session.prolong({ name: 'a', roles: ['user'] })
    t.equal(transport.closedWith, undefined)
  },
)

await t.test('goes on with no token when it is over', async (t) => {
  const { session, transport } = await visitor(t, 3_600_000)
  session.expel('of a reason')
  session.prolong({ name: 'a', roles: ['admin'], expiresAtMs: Date.now() - 1 })
  t.strictSame(session.view.principal.roles, ['user'])
  t.match(header((await transport.frame('ERROR')).headers, 'message'), 'session ended: of a reason')
})

await t.test('lets nobody in who left while the credentials were looked at', async (t) => {
  const gate = deferred()
  const { session, registry, receive } = await sessionRig(t, [
    (call) => (call.kind === 'CONNECT' ? gate.promise : undefined),
  ])
  receive('CONNECT', ['accept-version', '1.2', 'login', 'alice'])
  await session.end()
  gate.resolve()
  await setImmediate()
  t.throws(() => session.view, /not authenticated/, 'no timer waits for the end of a token')
  t.equal(registry.size, 0)
})

await t.test('waits for a time further away than a timer can', async (t) => {
  const cancel = at(Date.now() + 400 * 86_400_000, () => t.fail('too early'))
  await setImmediate()
  cancel()
})

await t.test('tells the client, and nobody else, when going on fails by a fault of ours', async (t) => {
  const gate = deferred()
  const { transport, app, receive, connect } = await sessionRig(t)
  app.subscription('/app/slow', { answer: () => gate.promise })
  await connect()
  transport.resume = () => {
    throw new TypeError('broken')
  }
  receive('SUBSCRIBE', ['id', 's', 'destination', '/app/slow'])
  gate.resolve()
  t.match(header((await transport.frame('ERROR')).headers, 'message'), /internal error/)
})

await t.test("gives the client's own broker session back before DISCONNECT is answered", async (t) => {
  const { session, transport, receive, connect } = await sessionRig(t)
  await connect()
  receive('BEGIN', ['transaction', 't', 'receipt', 'r'])
  await transport.frame('RECEIPT')
  const own = await session.link.own()
  const close = own.close.bind(own)
  const order: string[] = []
  own.close = async () => {
    order.push(transport.frames.length === 0 ? 'before the answer' : 'after the answer')
    await close()
    throw new Error('it went badly')
  }
  receive('DISCONNECT', ['receipt', 'bye'])
  t.equal(header((await transport.frame('RECEIPT')).headers, 'receipt-id'), 'bye')
  t.same(order, ['before the answer'])
  t.equal(transport.closedWith?.code, 1000)
})

await t.test('logs, and goes on, when a broker session cannot be closed', async (t) => {
  const { session, transport, receive, connect } = await sessionRig(t)
  await connect()
  receive('BEGIN', ['transaction', 't', 'receipt', 'r'])
  await transport.frame('RECEIPT')
  const own = await session.link.own()
  const close = own.close.bind(own)
  own.close = () => Promise.reject(new Error('stuck'))
  session.shutDown()
  t.equal(transport.closedWith?.code, 1001)
  await session.end()
  await close()
  own.close = close
})

await t.test('tells a client that cannot hear of faults whether to come back', async (t) => {
  for (const [code, closeCode] of [
    ['broker-unavailable', 1011],
    ['forbidden', 1008],
  ] as const) {
    const { transport, app, receive, connect } = await sessionRig(t)
    const error = new MessageError(code, 'no', { cause: new Error('inside') })
    app.message('/app/x', { payload: Type.Unknown(), handle: () => Promise.reject(error) })
    await connect()
    receive('SEND', ['destination', '/app/x'], '0')
    await transport.frame('ERROR')
    t.equal(transport.closedWith?.code, closeCode, code)
  }
})

await t.test('takes no frame behind one that ended the session', async (t) => {
  const gate = deferred()
  let handled = 0
  const { transport, app, receive, connect } = await sessionRig(t)
  app.subscription('/app/slow', { answer: () => gate.promise })
  app.message('/app/count', { payload: Type.Unknown(), handle: async () => void handled++ })
  await connect()
  receive('SUBSCRIBE', ['id', 's', 'destination', '/app/slow'])
  receive('CONNECT', ['accept-version', '1.2'])
  receive('SEND', ['destination', '/app/count'], '1')
  gate.resolve()
  t.match(header((await transport.frame('ERROR')).headers, 'message'), /already connected/)
  t.equal(handled, 0)
})

/** The rig, and the ends of its broker sessions that the broker holds. */
async function sinksOf(t: Test): Promise<SessionRig & { readonly sinks: readonly BrokerSessionSink[] }> {
  const rig = await sessionRig(t)
  const sinks: BrokerSessionSink[] = []
  const open = rig.broker.openSession.bind(rig.broker)
  rig.broker.openSession = (principal, sink) => {
    sinks.push(sink)
    return open(principal, sink)
  }
  await rig.connect()
  return { ...rig, sinks }
}

await t.test('tells of a subscription that the broker cancelled, if the client still had it', async (t) => {
  const { session, sinks, transport, receive } = await sinksOf(t)
  receive('SUBSCRIBE', ['id', 'errors', 'destination', '/user/queue/errors'])
  receive('SUBSCRIBE', ['id', 'q', 'destination', '/queue/work', 'receipt', 'r'])
  await transport.frame('RECEIPT')
  sinks[0]?.onCancelled('gone', 'deleted')
  sinks[0]?.onCancelled('q', 'deleted')
  const fault = JSON.parse(Buffer.from((await transport.frame('MESSAGE')).body).toString())
  t.match(fault, {
    code: 'broker-unavailable',
    destination: '/queue/work',
    message: /cancelled.* q: deleted/,
  })
  t.equal(session.subscriptions.has('q'), false)
  t.equal(transport.frames.length, 0)
})

await t.test('answers an UNSUBSCRIBE that crosses the end of its subscription, once', async (t) => {
  const { sinks, transport, receive } = await sinksOf(t)
  receive('SUBSCRIBE', ['id', 'errors', 'destination', '/user/queue/errors'])
  receive('SUBSCRIBE', ['id', 'q', 'destination', '/queue/work', 'receipt', 'r'])
  await transport.frame('RECEIPT')
  sinks[0]?.onCancelled('q', 'deleted')
  await transport.frame('MESSAGE')
  receive('UNSUBSCRIBE', ['id', 'q', 'receipt', 'u'])
  t.equal(header((await transport.frame('RECEIPT')).headers, 'receipt-id'), 'u')
  receive('UNSUBSCRIBE', ['id', 'q', 'receipt', 'u'])
  t.equal(
    header((await transport.frame('ERROR')).headers, 'message'),
    'unknown subscription: q',
    'it knows by now',
  )
})

await t.test('answers an UNSUBSCRIBE of a subscription that was refused', async (t) => {
  const { transport, receive } = await sinksOf(t)
  receive('SUBSCRIBE', ['id', 'errors', 'destination', '/user/queue/errors'])
  receive('SUBSCRIBE', ['id', 's', 'destination', '/nowhere'])
  receive('UNSUBSCRIBE', ['id', 's', 'receipt', 'u'])
  t.equal(header((await transport.frame('RECEIPT')).headers, 'receipt-id'), 'u')
  receive('SUBSCRIBE', ['id', 's', 'destination', '/nowhere'])
  receive('SUBSCRIBE', ['id', 's', 'destination', '/topic/a', 'receipt', 'r'])
  t.equal(header((await transport.frame('RECEIPT')).headers, 'receipt-id'), 'r')
  receive('UNSUBSCRIBE', ['id', 's', 'receipt', 'u'])
  t.equal(header((await transport.frame('RECEIPT')).headers, 'receipt-id'), 'u')
  receive('UNSUBSCRIBE', ['id', 's', 'receipt', 'u'])
  t.ok(await transport.frame('ERROR'), 'it was there since then')
})

await t.test('remembers so many subscriptions that were refused, and the latest', async (t) => {
  const { transport, receive } = await sinksOf(t)
  receive('SUBSCRIBE', ['id', 'errors', 'destination', '/user/queue/errors'])
  for (const id of ['twice', 'old', 'twice']) receive('SUBSCRIBE', ['id', id, 'destination', '/nowhere'])
  for (let i = 1; i < MAX_LOST; i += 1) receive('SUBSCRIBE', ['id', `s${i}`, 'destination', '/nowhere'])
  receive('UNSUBSCRIBE', ['id', 'twice', 'receipt', 'u'])
  t.ok(await transport.frame('RECEIPT'))
  receive('UNSUBSCRIBE', ['id', 'old', 'receipt', 'u'])
  t.equal(header((await transport.frame('ERROR')).headers, 'message'), 'unknown subscription: old')
})

await t.test('names the subscription that the broker cancelled to a client that cannot hear', async (t) => {
  const { sinks, transport, receive } = await sinksOf(t)
  receive('SUBSCRIBE', ['id', 'q', 'destination', '/queue/work', 'receipt', 'r'])
  await transport.frame('RECEIPT')
  sinks[0]?.onCancelled('q', 'deleted')
  const { headers } = await transport.frame('ERROR')
  t.equal(header(headers, 'subscription'), 'q')
  t.match(header(headers, 'message'), /^not available now: broker-unavailable: .*cancelled/)
  t.equal(transport.closedWith?.code, 1011)
})

await t.test('says why the broker ended its session, once the turn in which it did is over', async (t) => {
  const { sinks, transport, receive } = await sinksOf(t)
  receive('SUBSCRIBE', ['id', 'q', 'destination', '/queue/work', 'receipt', 'r'])
  await transport.frame('RECEIPT')
  sinks[0]?.onEnd(new SessionError('broker-refused', 'no more'))
  const { headers } = await transport.frame('ERROR')
  t.equal(header(headers, 'message'), 'broker session lost: no more')
  t.equal(transport.closedWith?.code, 1011)
})

await t.test('tells a client that the broker no longer waits for that it reads too slowly', async (t) => {
  const { sinks, transport, receive } = await sinksOf(t)
  receive('SUBSCRIBE', ['id', 'q', 'destination', '/queue/work', 'receipt', 'r'])
  await transport.frame('RECEIPT')
  sinks[0]?.onEnd(new SessionError('client-too-slow', 'given up'))
  t.equal(transport.closedWith?.code, 4500)
})
