import t from 'tap'
import { relayClients } from '../../bench/contestants/relay.ts'
import { publicationText } from '../../bench/load/bench-client.ts'
import { isValid, measureRound, type RoundFigures } from '../../bench/measure/round.ts'
import { chatPlan, type ChatKind } from '../../bench/scenarios/chat-plan.ts'
import { useRelay } from '../support/relay.ts'
import { TEST_SECRET } from '../support/token.ts'

t.setTimeout(120_000)

const DURATIONS = { warmUpMs: 50, measureMs: 500 }
const SUBSCRIBERS = 3
const ROOMS = 2

const relay = await useRelay(t, { AUTH_JWT_SECRET: TEST_SECRET })
const server = {
  ...relayClients(relay.address, TEST_SECRET),
  // This process is never idle enough to be waited for.
  pids: {},
  stop: async () => relay.close(),
}

async function round(kind: ChatKind, publishers: number): Promise<RoundFigures> {
  const plan = chatPlan(server.access, kind, ROOMS)
  const pacing = { kind: 'saturated', window: 10 } as const
  const load = { plan, publishers, subscribers: SUBSCRIBERS, generators: 1, pacing }
  return measureRound(server, load, DURATIONS)
}

await t.test(
  'delivers what several publishers say in several rooms, stored, persistent and not',
  async (t) => {
    const stored = await round('stored', 3)
    const persistent = await round('persistent', 3)
    const transient = await round('transient', 3)
    for (const figures of [stored, persistent, transient]) {
      t.ok(isValid(figures), JSON.stringify(figures))
      t.ok(figures.messagesPerSecond > 0)
      t.ok(figures.latencyMs.p50 > 0)
    }
    // A stored message has an event id more, and nothing else.
    const eventIdBytes = stored.bytesPerDelivery - persistent.bytesPerDelivery
    t.ok(eventIdBytes > 10 && eventIdBytes < 60, `${eventIdBytes} bytes more`)
    t.ok(Math.abs(persistent.bytesPerDelivery - transient.bytesPerDelivery) < 30)
  },
)

await t.test('asks for persistence where the row says so', (t) => {
  for (const kind of ['stored', 'persistent', 'transient'] as const) {
    const plan = chatPlan(server.access, kind, ROOMS)
    const frame = publicationText(plan, plan.topics[0]!, 'body', 7)
    t.equal(frame.includes('\npersistent:true\n'), kind === 'persistent', kind)
    t.match(frame, /\ncontent-type:application\/json\n[^]*receipt:7\n/)
  }
  t.end()
})

await t.test('fails a round in which publishers are refused', async (t) => {
  const plan = chatPlan(server.access, 'stored', ROOMS)
  const topics = plan.topics.map((topic) => ({ ...topic, before: '{"content":1' }))
  const pacing = { kind: 'saturated', window: 10 } as const
  const load = { plan: { ...plan, topics }, publishers: 1, subscribers: 1, generators: 1, pacing }
  await t.rejects(measureRound(server, load, DURATIONS), { message: /publisher 0/ })
})
