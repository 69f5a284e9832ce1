import t from 'tap'
import { ProtocolViolation } from '../../protocol/errors.ts'
import type { Role } from '../../src/auth/principal.ts'
import { MessageError } from '../../src/errors.ts'
import type { SendCall, SessionView } from '../../src/inbound/call.ts'
import { rateLimit } from '../../src/inbound/interceptors/rate-limit.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { metric } from '../support/until.ts'

let nowMs = 0
const interceptor = rateLimit({ sendsPerSecond: 10, burst: 20, now: () => nowMs })

function view(role: Role = 'user'): SessionView {
  return { id: 's', principal: { name: 'alice', roles: [role] }, remoteAddress: '' }
}

function send(session: SessionView): SendCall {
  return { kind: 'SEND', session, destination: '/app/messages', headers: [], body: new Uint8Array() }
}

function takenOf(session: SessionView, count: number): number {
  let taken = 0
  for (let i = 0; i < count; i++) {
    try {
      void interceptor(send(session))
      taken++
    } catch (error) {
      if (!(error instanceof MessageError) || error.code !== 'rate-limited') throw error
    }
  }
  return taken
}

await t.test('takes a burst, and then as many as a second earns, of each session for itself', async (t) => {
  const [one, other] = [view(), view()]
  t.equal(takenOf(one, 50), 20)
  t.equal(takenOf(other, 50), 20)
  nowMs += 500
  t.equal(takenOf(one, 50), 5)
  nowMs += 60_000
  t.equal(takenOf(one, 50), 20, 'a long rest earns no more than a burst')
})

await t.test(
  'lets services and administrators pass, and CONNECT; a SUBSCRIBE counts as a SEND',
  async (t) => {
    for (const role of ['service', 'admin'] as const) t.equal(takenOf(view(role), 1000), 1000)
    const session = view()
    takenOf(session, 20)
    t.throws(() => interceptor({ ...send(session), kind: 'SUBSCRIBE' }), { code: 'rate-limited' })
    t.equal(
      interceptor({ kind: 'CONNECT', headers: [], upgrade: {}, remoteAddress: '', isAbandoned: () => false }),
      undefined,
    )
  },
)

await t.test('ends the session of a client that goes on for 10 s', async (t) => {
  const session = view()
  takenOf(session, 100)
  for (let ms = 0; ms < 9900; ms += 100) {
    nowMs += 100
    takenOf(session, 10)
  }
  nowMs += 100
  t.throws(() => takenOf(session, 10), {
    constructor: ProtocolViolation,
    code: 'too-many-sends',
    closeCode: 1008,
  })
})

await t.test('forgives a client that stopped for a second', async (t) => {
  const session = view()
  for (let round = 0; round < 3; round++) {
    takenOf(session, 100)
    for (let ms = 0; ms < 9000; ms += 100) {
      nowMs += 100
      takenOf(session, 10)
    }
    nowMs += 1100
  }
  t.ok(takenOf(session, 1) === 1)
})

await t.test('a user hears of it at its errors queue, and a service does not', async (t) => {
  const relay = await useRelay(t, { LIMIT_SENDS_PER_SECOND: '1', LIMIT_SEND_BURST: '5' })
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  await alice.subscribe('e', '/user/queue/errors')
  for (let i = 0; i < 8; i++) {
    alice.send('SEND', ['destination', '/app/rooms/x/messages', 'receipt', `r${i}`], '{"content":"x"}')
  }
  const { payload } = await alice.message('e')
  t.match(payload, { code: 'rate-limited', destination: '/app/rooms/x/messages', receipt: 'r4' })
  t.equal((await metric(relay.address, 'stomp_relay_refusals_total{code="rate-limited"}')) > 0, true)
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  for (let i = 0; i < 50; i++) service.send('SEND', ['destination', '/topic/x'], 'x')
  await service.ask('SEND', ['destination', '/topic/x'], 'x')
  const plain = await StompClient.connect(t, relay.url, { login: 'bob' })
  for (let i = 0; i < 8; i++) plain.send('SEND', ['destination', '/app/rooms/x/messages'], '{"content":"x"}')
  t.equal((await plain.closed).code, 1008)
})
