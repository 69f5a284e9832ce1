import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { FeedPoll } from '../../protocol/payload/event-stream.ts'
import { useRelay, type TestRelay } from '../support/relay.ts'
import { SseReader } from '../support/sse-reader.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'

const ROUNDS = 20
const alice = { authorization: `Bearer ${await testToken('alice', 'user')}` }
const root = { authorization: `Bearer ${await testToken('root', 'admin')}` }

/** Numbers of the events that came, by kind, and the id to go on with. */
class Received {
  readonly numbers: Record<string, number[]> = { notification: [], broadcast: [], order: [] }
  after = ''

  add(event: string, data: unknown, id: string): void {
    const text = JSON.stringify(data)
    const [, number] = /"(?:orderId|title)":"n-(\d+)"/.exec(text) ?? []
    this.numbers[event]?.push(Number(number))
    this.after = id
  }

  get count(): number {
    return Object.values(this.numbers).reduce((sum, { length }) => sum + length, 0)
  }

  /** Whether everything up to these many of each kind has come. */
  has(count: number): boolean {
    return Object.values(this.numbers).every((numbers) => numbers.includes(count - 1))
  }
}

/** Stores an order of alice, which notifies her, and an announcement, again and again until told to stop. */
function startWriting(relay: TestRelay, service: StompClient) {
  const state = { isStopped: false }
  let count = 0
  const write = async (): Promise<void> => {
    while (!state.isStopped) {
      const order = { orderId: `n-${count}`, userId: 'alice', status: 'PLACED' }
      const post = fetch(`${relay.address}/api/v1/admin/broadcasts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...root },
        body: JSON.stringify({ title: `n-${count}`, message: 'm' }),
      })
      await service.ask('SEND', ['destination', '/queue/user'], JSON.stringify(order))
      await (await post).text()
      count += 1
      await turn()
    }
  }
  const writing = write()
  return {
    get count() {
      return count
    },
    stop: async (): Promise<number> => {
      state.isStopped = true
      await writing
      return count
    },
  }
}

async function setUp(t: Test) {
  const relay = await useRelay(t, { AUTH_JWT_SECRET: TEST_SECRET })
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  const feed = `${relay.address}/api/v1/notifications`
  const received = new Received()
  const first = await SseReader.open(t, `${feed}/stream`, alice)
  received.after = (await first.next()).id
  await first.close()
  const writer = startWriting(relay, service)
  t.teardown(async () => void (await writer.stop()))

  /** Reads so many events from a stream, or until it has said what is asked for, and hangs up. */
  const readStream = async (isEnough: (soFar: number) => boolean): Promise<void> => {
    const headers = { ...alice, 'last-event-id': received.after }
    const reader = await SseReader.open(t, `${feed}/stream`, headers)
    const connected = await reader.nextJson()
    t.match(connected, { event: 'connected', id: received.after, data: { recovered: true } })
    for (let soFar = 0; !isEnough(soFar); soFar++) {
      const { event, data, id } = await reader.nextJson()
      received.add(event, data, id)
    }
    await reader.close()
  }
  const poll = async (limit: number): Promise<number> => {
    const url = `${feed}/poll?after=${received.after}&limit=${limit}&wait=60`
    const answer = (await (await fetch(url, { headers: alice })).json()) as FeedPoll
    t.equal(answer.recovered, true)
    t.ok(answer.events.length >= 1 && answer.events.length <= limit)
    for (const { event, data, id } of answer.events) received.add(event, data, id)
    t.equal(answer.lastEventId, received.after)
    return answer.events.length
  }
  return { writer, received, readStream, poll }
}

function checkAll(t: Test, received: Received, count: number): void {
  const all = Array.from({ length: count }, (_, i) => i)
  for (const [event, numbers] of Object.entries(received.numbers)) {
    t.same(numbers, all, `each ${event} once and in order`)
  }
  t.comment(`${received.count} events of ${count} writes of three streams`)
}

await t.test('a stream that is lost and resumed again and again brings each event once', async (t) => {
  const { writer, received, readStream } = await setUp(t)
  for (let round = 0; round < ROUNDS; round++) {
    // Nothing at all, in the middle of what was missed, and far into what comes live.
    const events = (round * 7) % 31
    await readStream((soFar) => soFar >= events)
  }
  const count = await writer.stop()
  await readStream(() => received.has(count))
  checkAll(t, received, count)
})

await t.test('polls that follow each other bring each event once', async (t) => {
  const { writer, received, poll } = await setUp(t)
  for (let round = 0; round < ROUNDS * 2; round++) await poll(1 + ((round * 5) % 23))
  const count = await writer.stop()
  while (!received.has(count)) await poll(100)
  checkAll(t, received, count)
})

await t.test('a reader may change between both with the same id', async (t) => {
  const { writer, received, readStream, poll } = await setUp(t)
  for (let round = 0; round < ROUNDS; round++) {
    if (round % 2 === 0) await poll(3)
    else await readStream((soFar) => soFar >= round)
  }
  const count = await writer.stop()
  await readStream(() => received.has(count))
  checkAll(t, received, count)
})
