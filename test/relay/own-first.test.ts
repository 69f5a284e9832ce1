import t from 'tap'
import { header, type Frame } from '../../protocol/frame.ts'
import { usePostgres } from '../support/postgres.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET } from '../support/token.ts'

t.setTimeout(240_000)

const [databaseUrl, { stompUrl, amqpUrl }] = await Promise.all([usePostgres(t), useRabbitMq(t)])
const env = {
  DATABASE_URL: databaseUrl,
  RABBITMQ_STOMP_URL: stompUrl,
  RABBITMQ_AMQP_URL: amqpUrl,
  AUTH_JWT_SECRET: TEST_SECRET,
}
const west = await useRelay(t, { ...env, NODE_ID: 'west' })
const east = await useRelay(t, { ...env, NODE_ID: 'east' })

const PLACES = ['/topic/rooms.tea', '/user/queue/messages'] as const

async function listen(url: string): Promise<StompClient> {
  const client = await StompClient.connect(t, url, { login: 'bob' })
  for (const place of PLACES) await client.subscribe(place, place)
  return client
}

/** What a subscriber sees of a message; each node gives it an id of its own. */
function seen({ headers, body }: Frame) {
  const pairs: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const [name, value] = [headers[i] ?? '', headers[i + 1] ?? '']
    pairs.push(name === 'message-id' ? name : `${name}:${value}`)
  }
  return { headers: pairs.toSorted(), body: Buffer.from(body).toString() }
}

await t.test(
  'at the node that stored it a message is the same as at the others, and comes once',
  async (t) => {
    const [there, here] = [await listen(west.url), await listen(east.url)]
    const alice = await StompClient.connect(t, west.url, { login: 'alice' })
    const say = async (content: string): Promise<void> => {
      const body = JSON.stringify({ content })
      const head = ['content-type', 'application/json']
      await alice.ask('SEND', ['destination', '/app/rooms/tea/messages', ...head], body)
      const toBob = JSON.stringify({ content, receiver: 'bob' })
      await alice.ask('SEND', ['destination', '/app/messages', ...head], toBob)
    }
    for (const content of ['one', 'two', 'three']) await say(content)
    for (const place of PLACES) {
      for (const content of ['one', 'two', 'three']) {
        const of = (frame: Frame): boolean => header(frame.headers, 'subscription') === place
        const [own, other] = [await there.next('MESSAGE', of), await here.next('MESSAGE', of)]
        t.strictSame(seen(own), seen(other))
        t.match(seen(own).body, content)
      }
    }
    // Whatever the broker brought again would come before what another node stored after it.
    const again = await StompClient.connect(t, east.url, { login: 'alice' })
    await again.ask('SEND', ['destination', '/app/rooms/tea/messages'], '{"content":"the end"}')
    for (const client of [there, here]) {
      const { body } = await client.next('MESSAGE')
      t.match(Buffer.from(body).toString(), 'the end')
    }
  },
)

await t.test('the metrics tell how many did not wait for the broker', async (t) => {
  const early = async (address: string): Promise<string | undefined> => {
    const page = await (await fetch(`${address}/metrics`)).text()
    return /hub_events_total\{event="early"\} (\d+)/.exec(page)?.[1]
  }
  t.equal(await early(west.address), '6')
  t.equal(await early(east.address), '1')
})
