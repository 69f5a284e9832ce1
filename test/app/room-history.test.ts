import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'

const relay = await useRelay(t)
const alice = await StompClient.connect(t, relay.url, { login: 'alice' })
await alice.subscribe('errors', '/user/queue/errors')
await alice.subscribe('lobby', '/topic/rooms.lobby')
alice.send('SEND', ['destination', '/app/rooms/lobby/messages'], '{"content":"m1"}')
const { id: replyTo } = (await alice.message('lobby')).payload
for (let i = 2; i <= 60; i++) {
  const body = JSON.stringify({ content: `m${i}`, ...(i === 2 && { replyTo, clientId: 'c-2' }) })
  alice.send('SEND', ['destination', '/app/rooms/lobby/messages'], body)
}
await alice.ask('SEND', ['destination', '/app/rooms/other/messages'], '{"content":"elsewhere"}')

let count = 0

/** One page, as the client gets it: one MESSAGE at its own subscription. */
async function history(room: string, headers: readonly string[] = []): Promise<Record<string, unknown>[]> {
  const id = `h-${count++}`
  await alice.subscribe(id, `/app/rooms/${room}/history`, headers)
  const { frame, payload } = await alice.message(id)
  t.equal(header(frame.headers, 'destination'), `/app/rooms/${room}/history`)
  await alice.ask('UNSUBSCRIBE', ['id', id])
  return payload as unknown as Record<string, unknown>[]
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: from - to + 1 }, (_, i) => `m${from - i}`)

await t.test('answers the newest messages of the room, newest first', async (t) => {
  const page = await history('lobby')
  t.same(
    page.map(({ content }) => content),
    numbers(60, 11),
  )
  t.match(page[0], { room: 'lobby', sender: 'alice', id: /./, timestamp: /Z$/ })
  t.match(await history('other'), [{ content: 'elsewhere', room: 'other' }])
  t.same(await history('nobody-was-here'), [])
})

await t.test('goes back page by page to the first message, with none left out or twice', async (t) => {
  const seen: unknown[] = []
  let page = await history('lobby', ['limit', '7'])
  while (page.length > 0) {
    seen.push(...page.map(({ content }) => content))
    page = await history('lobby', ['limit', '7', 'before', String(page.at(-1)?.['id'])])
  }
  t.same(seen, numbers(60, 1))
})

await t.test('tells of answers, and of the id that the sender chose', async (t) => {
  const second = (await history('lobby', ['limit', '200'])).at(-2)
  t.match(second, { content: 'm2', replyTo: String(replyTo), clientId: 'c-2' })
})

await t.test('refuses limits and rooms that cannot be', async (t) => {
  for (const limit of ['0', '201', '-1', '1.5', 'ten']) {
    const destination = '/app/rooms/lobby/history'
    alice.send('SUBSCRIBE', ['id', `bad-${limit}`, 'destination', destination, 'limit', limit])
    const { payload } = await alice.message('errors')
    t.match(payload, {
      code: 'invalid-header',
      destination,
      message: 'limit must be a whole number from 1 to 200',
    })
  }
  alice.send('SUBSCRIBE', ['id', 'bad-room', 'destination', `/app/rooms/${'x'.repeat(65)}/history`])
  t.match((await alice.message('errors')).payload, { code: 'invalid-destination' })
})

await t.test('answers a page as large as can be', async (t) => {
  const content = 'x'.repeat(8192)
  const body = JSON.stringify({ content })
  for (let i = 0; i < 199; i++) alice.send('SEND', ['destination', '/app/rooms/large/messages'], body)
  await alice.ask('SEND', ['destination', '/app/rooms/large/messages'], body)
  const page = await history('large', ['limit', '200'])
  t.equal(page.length, 200)
})
