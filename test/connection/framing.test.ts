import t from 'tap'
import { VIOLATIONS, type ViolationCode } from '../../protocol/errors.ts'
import { header } from '../../protocol/frame.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { metric } from '../support/until.ts'

const relay = await useRelay(t)
const bystander = await StompClient.connect(t, relay.url, { login: 'bob' })
await bystander.subscribe('m', '/topic/messages')

const CONNECT = 'CONNECT\naccept-version:1.2\nlogin:alice\npasscode:alice\n\n\0'
const SUBSCRIBE = 'SUBSCRIBE\nid:s\ndestination:/topic/messages\nreceipt:1\n\n\0'
const sendOf = (content: string): string => `SEND\ndestination:/app/messages\n\n{"content":"${content}"}\0`

await t.test('takes several frames of one WebSocket message, line ends between them included', async (t) => {
  const client = await StompClient.open(t, relay.url)
  client.sendRaw(`${CONNECT}\n\r\n${SUBSCRIBE}${sendOf('one')}\n${sendOf('two')}\n\n\n`)
  t.ok(await client.next('CONNECTED'))
  t.ok(await client.next('RECEIPT'))
  t.equal((await client.message('s')).payload['content'], 'one')
  t.equal((await client.message('s')).payload['content'], 'two')
})

await t.test('puts a frame together from WebSocket messages of one byte each', async (t) => {
  const client = await StompClient.open(t, relay.url)
  const bytes = Buffer.from(CONNECT + SUBSCRIBE + sendOf('grüße'))
  for (const byte of bytes) client.sendRaw(Uint8Array.of(byte))
  t.equal((await client.message('s')).payload['content'], 'grüße')
})

await t.test('takes text and binary messages alike', async (t) => {
  const client = await StompClient.open(t, relay.url)
  client.webSocket.send(CONNECT + SUBSCRIBE, { binary: false })
  await client.next('RECEIPT')
  client.webSocket.send(Buffer.from(sendOf('binary')), { binary: true })
  t.equal((await client.message('s')).payload['content'], 'binary')
  t.equal(client.wasBinary, false, 'what is text is answered as text')
})

await t.test('takes a frame whose WebSocket message came in fragments', async (t) => {
  const client = await StompClient.open(t, relay.url)
  client.webSocket.send(CONNECT.slice(0, 20), { fin: false })
  client.webSocket.send(CONNECT.slice(20) + SUBSCRIBE, { fin: true })
  t.ok(await client.next('RECEIPT'))
})

const head = 'SEND\ndestination:/app/messages\n'

const REFUSED: readonly (readonly [ViolationCode, string | Uint8Array])[] = [
  ['unknown-command', 'FETCH\n\n\0'],
  ['unknown-command', 'MESSAGE\n\n\0'],
  ['malformed-header', 'SEND\nno colon\n\n\0'],
  ['malformed-header', 'SEND\n:no name\n\n\0'],
  ['bad-escape', `${head}a:\\t\n\n\0`],
  ['invalid-utf8', Buffer.from(`${head}a:\xff\n\n\0`, 'latin1')],
  ['too-many-headers', `SEND\n${'a:1\n'.repeat(65)}\n\0`],
  ['header-too-long', `SEND\na:${'x'.repeat(8192)}\n\n\0`],
  ['frame-too-large', `${head}\n${'x'.repeat(65_536)}\0`],
  ['frame-too-large', `${head}content-length:70000\n\n`],
  ['bad-content-length', `${head}content-length:ten\n\n{}\0`],
  ['bad-content-length', `${head}content-length:-1\n\n{}\0`],
  ['missing-nul', `${head}content-length:2\n\n{"content":"x"}\0`],
  ['body-not-allowed', 'SUBSCRIBE\nid:b\ndestination:/topic/messages\n\nbody\0'],
  ['already-connected', CONNECT],
  ['unknown-subscription', 'UNSUBSCRIBE\nid:nothing\n\n\0'],
  ['missing-header', 'SUBSCRIBE\nid:b\n\n\0'],
  ['bad-header', 'SUBSCRIBE\nid:b\ndestination:/topic/messages\nack:later\n\n\0'],
]

for (const [i, [code, bytes]] of REFUSED.entries()) {
  await t.test(`tells of ${code} (${i}) by ERROR and close, and acts on nothing behind it`, async (t) => {
    const client = await StompClient.connect(t, relay.url, { login: 'alice' })
    const before = await metric(relay.address, `stomp_relay_violations_total{code="${code}"}`)
    client.sendRaw(Buffer.concat([Buffer.from(bytes), Buffer.from(sendOf('behind the fault'))]))
    const { message, closeCode } = VIOLATIONS[code]
    const told = header((await client.next('ERROR')).headers, 'message') ?? ''
    t.ok(told.startsWith(message), told)
    const closed = await client.closed
    t.equal(closed.code, closeCode)
    t.ok(closed.reason.startsWith(message), closed.reason)
    const after = await metric(relay.address, `stomp_relay_violations_total{code="${code}"}`)
    t.equal(after, (Number.isNaN(before) ? 0 : before) + 1)
  })
}

await t.test('keeps the close reason within what a close frame holds, whole characters', async (t) => {
  const client = await StompClient.connect(t, relay.url, { login: 'alice' })
  const id = 'ü'.repeat(100)
  client.sendRaw(`UNSUBSCRIBE\nid:${id}\n\n\0`)
  t.match(header((await client.next('ERROR')).headers, 'message'), id, 'ERROR says all of it')
  const { code, reason } = await client.closed
  t.equal(code, 1002)
  t.match(reason, /^unknown subscription: ü+$/)
  t.ok(Buffer.byteLength(reason) > 119)
})

await t.test('leaves everybody else alone meanwhile', async (t) => {
  const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
  await alice.ask('SEND', ['destination', '/app/messages'], '{"content":"the end"}')
  const seen: unknown[] = []
  while (seen.at(-1) !== 'the end') seen.push((await bystander.message('m')).payload['content'])
  t.same(seen, ['one', 'two', 'grüße', 'binary', 'the end'])
})
