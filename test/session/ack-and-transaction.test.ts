import t from 'tap'
import { header, type Frame } from '../../protocol/frame.ts'
import { MAX_TRANSACTIONS } from '../../src/session/transactions.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'

const relay = await useRelay(t)

function text({ body }: Frame): string {
  return Buffer.from(body).toString()
}

await t.test('redelivers what was not acknowledged, and not what was', async (t) => {
  const producer = await StompClient.connect(t, relay.url, { login: 'orders' })
  const first = await StompClient.connect(t, relay.url, { login: 'orders' })
  await first.subscribe('q', '/queue/work', ['ack', 'client-individual'])
  for (const body of ['one', 'two', 'three']) await producer.ask('SEND', ['destination', '/queue/work'], body)
  const [one, two, three] = [
    await first.next('MESSAGE'),
    await first.next('MESSAGE'),
    await first.next('MESSAGE'),
  ]
  t.same([one, two, three].map(text), ['one', 'two', 'three'])
  await first.ask('ACK', ['id', header(one.headers, 'ack') ?? ''])
  await first.ask('NACK', ['id', header(two.headers, 'ack') ?? '', 'requeue', 'false'])
  await first.close()
  const second = await StompClient.connect(t, relay.url, { login: 'orders' })
  await second.subscribe('q', '/queue/work', ['ack', 'client'])
  const again = await second.next('MESSAGE')
  t.equal(text(again), 'three')
  t.equal(header(again.headers, 'redelivered'), 'true')
  await second.ask('NACK', ['id', header(again.headers, 'ack') ?? ''])
  const third = await second.next('MESSAGE')
  t.equal(text(third), 'three', 'NACK gives it back')
  await second.ask('ACK', ['id', header(third.headers, 'ack') ?? ''])
  await second.ask('UNSUBSCRIBE', ['id', 'q'])
})

await t.test('lets 1.1 and 1.0 clients acknowledge by message-id', async (t) => {
  const producer = await StompClient.connect(t, relay.url, { login: 'orders' })
  for (const version of ['1.1', '1.0'] as const) {
    const client = await StompClient.connect(t, relay.url, { login: 'orders', version })
    await client.subscribe('q', '/queue/old', ['ack', 'client'])
    await producer.ask('SEND', ['destination', '/queue/old'], version)
    const { headers } = await client.next('MESSAGE')
    t.equal(header(headers, 'ack'), undefined)
    await client.ask('ACK', ['subscription', 'q', 'message-id', header(headers, 'message-id') ?? ''])
    await client.close()
  }
  const late = await StompClient.connect(t, relay.url, { login: 'orders' })
  await late.subscribe('q', '/queue/old', ['ack', 'client'])
  await producer.ask('SEND', ['destination', '/queue/old'], 'fresh')
  t.equal(text(await late.next('MESSAGE')), 'fresh')
})

await t.test('ends the session for acknowledgements that cannot be', async (t) => {
  for (const [version, command, headers, message] of [
    ['1.2', 'ACK', [], /missing header.*id/],
    ['1.2', 'ACK', ['id', 'nothing'], /unknown subscription/],
    ['1.0', 'NACK', ['message-id', 'x'], /unknown command/],
    ['1.2', 'ACK', ['id', 'x', 'transaction', 'none'], /unknown transaction/],
  ] as const) {
    const client = await StompClient.connect(t, relay.url, { login: 'orders', version })
    client.send(command, headers)
    t.match(header((await client.next('ERROR')).headers, 'message'), message)
    t.equal((await client.closed).code, 1002)
  }
})

await t.test(
  'does nothing of a transaction before COMMIT, and all of it then, the broker first',
  async (t) => {
    const client = await StompClient.connect(t, relay.url, { login: 'admin' })
    await client.subscribe('topic', '/topic/tx')
    await client.subscribe('chat', '/topic/messages')
    await client.subscribe('own', '/user/queue/messages')
    await client.subscribe('errors', '/user/queue/errors')
    await client.ask('BEGIN', ['transaction', 'tx1'])
    const tx = ['transaction', 'tx1']
    client.send('SEND', ['destination', '/topic/tx', ...tx, 'receipt', 'broker'], 'broker')
    client.send('SEND', ['destination', '/user/admin/queue/messages', ...tx, 'receipt', 'own'], '{"n":1}')
    client.send('SEND', ['destination', '/app/messages', ...tx, 'receipt', 'bad'], '{}')
    client.send('SEND', ['destination', '/app/messages', ...tx, 'receipt', 'chat'], '{"content":"committed"}')
    await client.ask('SEND', ['destination', '/topic/elsewhere'], 'not in the transaction')
    t.equal(client.inbox.length, 0, 'nothing is done, and nothing is said to be done')
    await client.ask('COMMIT', tx)
    const receipts = client.inbox.filter(({ command }) => command === 'RECEIPT')
    t.same(
      receipts.map(({ headers }) => header(headers, 'receipt-id')),
      ['broker', 'own', 'chat'],
    )
    const fault = { code: 'invalid-payload', receipt: 'bad', destination: '/app/messages' }
    t.match((await client.message('errors')).payload, fault)
    t.equal((await client.message('chat')).payload['content'], 'committed')
    t.equal(
      text(await client.next('MESSAGE', (f) => header(f.headers, 'subscription') === 'topic')),
      'broker',
    )
    t.same((await client.message('own')).payload, { n: 1 })
  },
)

await t.test('forgets a transaction at ABORT', async (t) => {
  const client = await StompClient.connect(t, relay.url, { login: 'admin' })
  await client.subscribe('topic', '/topic/tx')
  await client.ask('BEGIN', ['transaction', 'tx1'])
  client.send('SEND', ['destination', '/topic/tx', 'transaction', 'tx1', 'receipt', 'never'], 'never')
  await client.ask('ABORT', ['transaction', 'tx1'])
  await client.ask('SEND', ['destination', '/topic/tx'], 'after')
  t.equal(text(await client.next('MESSAGE')), 'after')
  t.same(client.inbox, [], 'what was taken back gets no RECEIPT')
})

await t.test('gives no RECEIPT at COMMIT to a SEND that it has refused before', async (t) => {
  const client = await StompClient.connect(t, relay.url, { login: 'admin' })
  await client.subscribe('errors', '/user/queue/errors')
  await client.ask('BEGIN', ['transaction', 'tx1'])
  const body = 'x'.repeat(60_000)
  // The in-process broker holds 4 MiB for a transaction: the last one is too much.
  for (let i = 0; i < 70; i++) {
    client.send('SEND', ['destination', '/topic/tx', 'transaction', 'tx1', 'receipt', `${i}`], body)
  }
  t.match((await client.message('errors')).payload, { code: 'too-many-pending', receipt: '69' })
  t.same(client.inbox, [])
  await client.ask('COMMIT', ['transaction', 'tx1'])
  t.same(
    client.inbox.map(({ headers }) => header(headers, 'receipt-id')),
    Array.from({ length: 69 }, (_, i) => `${i}`),
  )
})

await t.test('ends the session for a transaction that is not open, or is open already', async (t) => {
  for (const [command, headers] of [
    ['BEGIN', ['transaction', 'open']],
    ['COMMIT', ['transaction', 'none']],
    ['ABORT', ['transaction', 'none']],
    ['SEND', ['destination', '/topic/tx', 'transaction', 'none']],
    ['SEND', ['destination', '/user/admin/queue/messages', 'transaction', 'none']],
  ] as const) {
    const client = await StompClient.connect(t, relay.url, { login: 'admin' })
    await client.ask('BEGIN', ['transaction', 'open'])
    client.send(command, headers)
    t.match(header((await client.next('ERROR')).headers, 'message'), /unknown transaction/)
  }
})

await t.test('bounds the transactions of a session, and what waits in them', async (t) => {
  const client = await StompClient.connect(t, relay.url, { login: 'admin' })
  await client.subscribe('errors', '/user/queue/errors')
  for (let i = 0; i < MAX_TRANSACTIONS; i++) await client.ask('BEGIN', ['transaction', `tx${i}`])
  client.send('BEGIN', ['transaction', 'one-more'])
  t.match((await client.message('errors')).payload, { code: 'too-many-pending' })
  const body = 'x'.repeat(60_000)
  for (let i = 0; i < 17; i++) {
    client.send('SEND', ['destination', '/user/admin/queue/messages', 'transaction', 'tx0'], body)
  }
  client.send('SEND', ['destination', '/user/admin/queue/messages', 'transaction', 'tx0'], body)
  t.match((await client.message('errors')).payload, { code: 'too-many-pending' })
  await client.ask('ABORT', ['transaction', 'tx0'])
  await client.ask('BEGIN', ['transaction', 'one-more'])
  client.send('SEND', ['destination', '/user/admin/queue/messages', 'transaction', 'one-more'], body)
  await client.ask('COMMIT', ['transaction', 'one-more'])
})

await t.test(
  "takes the client's own way for all its SENDs once it has one, so that they keep their order",
  async (t) => {
    const client = await StompClient.connect(t, relay.url, { login: 'orders' })
    await client.subscribe('topic', '/topic/ordered')
    for (let i = 0; i < 50; i++) client.send('SEND', ['destination', '/topic/ordered'], `${i}`)
    client.send('SEND', ['destination', '/queue/aside'], 'opens the session')
    for (let i = 50; i < 100; i++) client.send('SEND', ['destination', '/topic/ordered'], `${i}`)
    const seen: string[] = []
    while (seen.length < 100) seen.push(text(await client.next('MESSAGE')))
    t.same(
      seen,
      Array.from({ length: 100 }, (_, i) => `${i}`),
    )
  },
)

await t.test('carries request and reply over /temp-queue', async (t) => {
  const server = await StompClient.connect(t, relay.url, { login: 'orders' })
  const client = await StompClient.connect(t, relay.url, { login: 'guest' })
  await server.subscribe('q', '/queue/questions')
  const headers = ['reply-to', '/temp-queue/answers', 'persistent', 'true']
  client.send('SEND', ['destination', '/queue/questions', ...headers], '6 x 7?')
  const question = await server.next('MESSAGE')
  server.send('SEND', ['destination', header(question.headers, 'reply-to') ?? ''], '42')
  const answer = await client.next('MESSAGE')
  t.equal(text(answer), '42')
  t.equal(header(answer.headers, 'subscription'), '/temp-queue/answers')
  await server.subscribe('t', '/topic/questions')
  client.send('SEND', ['destination', '/topic/questions', 'reply-to', '/temp-queue/answers'], 'and then?')
  const second = await server.next('MESSAGE')
  server.send('SEND', ['destination', header(second.headers, 'reply-to') ?? ''], 'nothing')
  t.equal(text(await client.next('MESSAGE')), 'nothing')
})

await t.test('waits at DISCONNECT for what was sent before', async (t) => {
  const client = await StompClient.connect(t, relay.url, { login: 'alice' })
  for (let i = 0; i < 20; i++) {
    client.send('SEND', ['destination', '/app/messages', 'receipt', `r${i}`], '{"content":"x"}')
  }
  client.send('DISCONNECT', ['receipt', 'bye'])
  t.equal((await client.closed).code, 1000)
  const receipts = client.inbox.map(({ headers }) => header(headers, 'receipt-id'))
  t.equal(receipts.at(-1), 'bye')
  t.equal(receipts.length, 21)
})
