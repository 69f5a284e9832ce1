import t from 'tap'
import { header, type Frame } from '../../protocol/frame.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'

const relay = await useRelay(t)

let rooms = 0
/** A room that nobody was in, with messages `1` to `count`. */
async function roomWith(alice: StompClient, count: number): Promise<{ room: string; topic: string }> {
  const room = `r${++rooms}`
  for (let i = 1; i <= count; i += 1) await say(alice, room, String(i))
  return { room, topic: `/topic/rooms.${room}` }
}

async function say(client: StompClient, room: string, content: string): Promise<void> {
  await client.ask('SEND', ['destination', `/app/rooms/${room}/messages`], JSON.stringify({ content }))
}

/** Subscribes, and says what the RECEIPT said and what had come before it. */
async function begin(client: StompClient, destination: string, headers: readonly string[]) {
  const receipt = await client.ask('SUBSCRIBE', ['id', 's', 'destination', destination, ...headers])
  return { ...outcome(receipt), replayed: contents(client.inbox.splice(0)) }
}

function outcome({ headers }: Frame) {
  const [recovered, reason, eventId] = ['recovered', 'reason', 'event-id'].map((name) =>
    header(headers, name),
  )
  return { recovered, reason, eventId }
}

function contents(frames: readonly Frame[]): string[] {
  return frames.map(({ body }) => (JSON.parse(Buffer.from(body).toString()) as { content: string }).content)
}

await t.test(
  'a client that comes back gets what it missed before its RECEIPT, then what follows',
  async (t) => {
    const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
    const { room, topic } = await roomWith(alice, 0)
    const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
    const first = await begin(bob, topic, [])
    t.match(first, { recovered: undefined, reason: undefined, eventId: /^[\w-]+:0$/ }, 'where it began')
    await say(alice, room, '1')
    const { frame } = await bob.message('s')
    const last = header(frame.headers, 'event-id') ?? ''
    await bob.close()
    for (const content of ['2', '3']) await say(alice, room, content)

    const again = await StompClient.connect(t, relay.url, { login: 'bob' })
    const resumed = await begin(again, topic, ['last-event-id', last])
    t.same(resumed, {
      recovered: 'true',
      reason: undefined,
      eventId: last.replace(/:1$/, ':3'),
      replayed: ['2', '3'],
    })
    await say(alice, room, '4')
    t.equal((await again.message('s')).payload['content'], '4')

    const late = await StompClient.connect(t, relay.url, { login: 'bob' })
    const all = await begin(late, topic, ['last-event-id', first.eventId ?? ''])
    t.same(all.replayed, ['1', '2', '3', '4'], 'from before the first event')
  },
)

await t.test('begins with the last so many', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  const { topic } = await roomWith(alice, 4)
  for (const [history, replayed] of [
    ['0', []],
    ['2', ['3', '4']],
    ['1000', ['1', '2', '3', '4']],
  ] as const) {
    const begun = await begin(alice, topic, ['history', history])
    t.match(begun, { recovered: undefined, eventId: /:4$/, replayed })
    await alice.ask('UNSUBSCRIBE', ['id', 's'])
  }
  const both = await begin(alice, topic, ['history', '4', 'last-event-id', 'nonsense'])
  t.match(both, { recovered: 'false', reason: 'malformed', replayed: [] }, 'the event id wins')
})

await t.test('resumes the queues of a user', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  const body = JSON.stringify({ content: 'psst', receiver: 'bob' })
  await alice.ask('SEND', ['destination', '/app/messages'], body)
  const bob = await StompClient.connect(t, relay.url, { login: 'bob' })
  const { replayed, eventId } = await begin(bob, '/user/queue/messages', ['history', '10'])
  t.same(replayed, ['psst'])
  const others = await begin(alice, '/user/queue/messages', ['last-event-id', eventId ?? ''])
  t.match(others, { recovered: 'false', reason: 'unknown-epoch' }, "bob's id says nothing to alice")
})

await t.test('says what cannot be resumed, on the RECEIPT and to the queue of errors', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  const { room, topic } = await roomWith(alice, 2)
  const other = await roomWith(alice, 2)
  const { eventId: foreign = '' } = await begin(alice, other.topic, [])
  await alice.ask('UNSUBSCRIBE', ['id', 's'])
  const { eventId: own = '' } = await begin(alice, topic, [])
  await alice.ask('UNSUBSCRIBE', ['id', 's'])
  await alice.subscribe('errors', '/user/queue/errors')
  for (const [lastEventId, reason] of [
    [own.replace(/:2$/, ':99'), 'malformed'],
    ['nonsense', 'malformed'],
    ['', 'malformed'],
    [foreign, 'unknown-epoch'],
    [`old${own}`, 'unknown-epoch'],
  ] as const) {
    alice.send('SUBSCRIBE', ['id', 's', 'destination', topic, 'last-event-id', lastEventId, 'receipt', 'r'])
    const { payload } = await alice.message('errors')
    t.match(payload, { code: reason, message: /^only new events follow: /, destination: topic, receipt: 'r' })
    const receipt = outcome(await alice.next('RECEIPT'))
    t.match(receipt, { recovered: 'false', reason, eventId: /:\d+$/ }, `${lastEventId}: ${reason}`)
    await say(alice, room, 'live')
    t.equal((await alice.message('s')).payload['content'], 'live', 'the first that comes is new')
    await alice.ask('UNSUBSCRIBE', ['id', 's'])
  }
})

await t.test('destinations whose events are not stored say so', async (t) => {
  const admin = await StompClient.connect(t, relay.url, { login: 'admin' })
  await admin.subscribe('errors', '/user/queue/errors')
  for (const destination of [
    '/topic/prices',
    '/topic/rooms.*',
    '/queue/work',
    '/user/queue/errors',
    '/app/rooms/r/history',
  ]) {
    const headers = ['id', 's', 'destination', destination, 'last-event-id', 'e:1']
    const receipt = outcome(await admin.ask('SUBSCRIBE', headers))
    t.same(receipt, { recovered: 'false', reason: 'not-a-stream', eventId: undefined }, destination)
    const { payload } = await admin.message('errors')
    t.match(payload, { code: 'not-a-stream', destination })
    await admin.ask('UNSUBSCRIBE', ['id', 's'])
    admin.inbox.length = 0
  }
  t.same(
    outcome(await admin.ask('SUBSCRIBE', ['id', 's', 'destination', '/queue/work', 'history', '3'])).reason,
    'not-a-stream',
  )
})

await t.test('a client that does not listen for errors lives on, and reads the RECEIPT', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  const { room, topic } = await roomWith(alice, 1)
  t.match(await begin(alice, topic, ['last-event-id', 'x']), { recovered: 'false', reason: 'malformed' })
  await say(alice, room, '2')
  t.equal((await alice.message('s')).payload['content'], '2')
})

await t.test('refuses a history that is no number in range, and nothing else suffers', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  const { topic } = await roomWith(alice, 1)
  await alice.subscribe('errors', '/user/queue/errors')
  for (const history of ['-1', '1001', '99999999999999999999', 'all', '', '1.5']) {
    alice.send('SUBSCRIBE', ['id', 's', 'destination', topic, 'history', history, 'receipt', 'r'])
    t.match((await alice.message('errors')).payload, { code: 'invalid-header', receipt: 'r' }, history)
  }
  t.match(await begin(alice, topic, ['history', '1']), { replayed: ['1'] }, 'the id is free')
})

await t.test('a client that does not read is sent a long history piece by piece', async (t) => {
  const small = await useRelay(t, { LIMIT_OUTBOX_BYTES: '65536' })
  const alice = await StompClient.connect(t, small.url, { login: 'alice' })
  const pad = 'x'.repeat(4000)
  const sends = Array.from({ length: 400 }, (_, i) => say(alice, 'long', `${i} ${pad}`))
  await Promise.all(sends)
  const bob = await StompClient.connect(t, small.url, { login: 'bob' })
  bob.webSocket.pause()
  const asked = bob.ask('SUBSCRIBE', ['id', 's', 'destination', '/topic/rooms.long', 'history', '1000'])
  await alice.ask('SEND', ['destination', '/app/rooms/long/messages'], '{"content":"live"}')
  bob.webSocket.resume()
  t.match(outcome(await asked), { eventId: /:40[01]$/ })
  await bob.until(() => bob.inbox.length >= 401)
  const numbers = contents(bob.inbox).map((content) => content.split(' ')[0])
  t.same(numbers, [...Array.from({ length: 400 }, (_, i) => String(i)), 'live'])
})
