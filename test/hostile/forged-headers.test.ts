import t from 'tap'
import type { Frame } from '../../protocol/frame.ts'
import { header } from '../../protocol/frame.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'

/** What a client might say of a message that only the relay, or a broker, may. */
const FORGED = [
  'message-id', 'subscription', 'event-id', 'recovered', 'user-id', 'user-name', 'session', 'ack', 'redelivered',
  'receipt-id', 'id', 'X-Relay-Origin', 'x-relay-mark', 'x-relay-destination', 'x-relay-fence', 'simpUser',
  'simpSessionId', 'simpDestination', 'nativeHeaders', 'stompCommand', 'lookupDestination', 'Login', 'passcode',
  'Authorization', 'cookie', 'X-CSRF-TOKEN', 'Message-Id', 'EVENT-ID',
] // prettier-ignore

const relay = await useRelay(t, { AUTH_JWT_SECRET: TEST_SECRET })

const forged = (): string[] => FORGED.flatMap((name) => [name, 'forged-value'])

function shows({ headers }: Frame): string {
  return headers.join('\n')
}

await t.test('headers that look like the relay never reach a subscriber, by whatever way', async (t) => {
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
  await service.subscribe('s', '/topic/prices')
  await service.subscribe('q', '/queue/jobs')
  await bob.subscribe('b', '/user/queue/notifications')
  for (const destination of ['/topic/prices', '/queue/jobs', '/user/bob/queue/notifications']) {
    await service.ask('SEND', ['destination', destination, ...forged(), 'x-color', 'red'], '{}')
    const frame = await (destination.startsWith('/user') ? bob : service).next('MESSAGE')
    t.notMatch(shows(frame), 'forged-value', destination)
    t.equal(header(frame.headers, 'x-color'), 'red', 'what is the sender’s own does')
  }
})

await t.test('a line end or a colon in a header stays in it, in every version', async (t) => {
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  const evil = 'red\nmessage-id:forged-value\n\nbody\0MESSAGE\nsubscription:other\r\n:x'
  const readers = await Promise.all(
    (['1.0', '1.1', '1.2'] as const).map(async (version) => {
      const reader = await StompClient.connect(t, relay.url, { login: 'guest', version })
      await reader.subscribe('r', '/topic/colors')
      return reader
    }),
  )
  await service.ask(
    'SEND',
    ['destination', '/topic/colors', 'x-color', evil, `x-\n${evil}`, 'y'],
    'true body',
  )
  await service.ask('SEND', ['destination', '/topic/colors'], 'the next')
  for (const reader of readers) {
    const frame = await reader.next('MESSAGE')
    t.equal(header(frame.headers, 'subscription'), 'r')
    t.not(header(frame.headers, 'message-id'), 'forged-value')
    t.equal(Buffer.from(frame.body).toString(), 'true body')
    t.equal(Buffer.from((await reader.next('MESSAGE')).body).toString(), 'the next', 'and nothing in between')
  }
})

await t.test('who somebody is comes from the token alone', async (t) => {
  const token = await testToken('alice', 'user')
  const alice = await StompClient.open(t, relay.url, {
    headers: { authorization: `Bearer ${token}`, 'x-user': 'admin', 'x-forwarded-user': 'admin', roles: 'admin' },
  })
  alice.send('CONNECT', ['accept-version', '1.2', 'user-name', 'admin', 'roles', 'admin', 'simpUser', 'admin', 'login', 'admin', 'passcode', 'admin'])
  t.equal(header((await alice.next('CONNECTED')).headers, 'user-name'), 'alice')
  await alice.subscribe('e', '/user/queue/errors')
  alice.send('SUBSCRIBE', ['id', 'o', 'destination', '/topic/orders', 'user-name', 'admin', 'simpUser', 'admin'])
  t.match((await alice.message('e')).payload, { code: 'forbidden' })
  await alice.subscribe('m', '/topic/messages')
  const body = { content: 'hi', sender: 'admin', id: 'forged', status: 'READ', timestamp: '1970-01-01', __proto__: null }
  await alice.ask('SEND', ['destination', '/app/messages', 'user-name', 'admin', 'event-id', 'forged:1'], JSON.stringify(body))
  const { frame, payload } = await alice.message('m')
  t.match(payload, { sender: 'alice', status: 'SENT' })
  t.notMatch(JSON.stringify(payload), /forged|1970/)
  t.notMatch(shows(frame), 'forged')
  const response = await fetch(`${relay.address}/api/v1/sessions`, {
    headers: { authorization: `Bearer ${token}`, 'x-user': 'admin', 'x-roles': 'admin', 'x-forwarded-user': 'admin', 'x-http-method-override': 'DELETE' },
  })
  t.equal(response.status, 403)
}) // prettier-ignore
