import t from 'tap'
import { relayClients } from '../../bench/contestants/relay.ts'
import { isValid, measureRound, type RoundFigures } from '../../bench/measure/round.ts'
import { chatPlan } from '../../bench/scenarios/chat-plan.ts'
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

async function round(kind: 'stored' | 'unstored', publishers: number): Promise<RoundFigures> {
  const plan = chatPlan(server.access, kind, ROOMS)
  const pacing = { kind: 'saturated', window: 10 } as const
  const load = { plan, publishers, subscribers: SUBSCRIBERS, generators: 1, pacing }
  return measureRound(server, load, DURATIONS)
}

await t.test('delivers what several publishers say in several rooms, stored and not', async (t) => {
  const stored = await round('stored', 3)
  const unstored = await round('unstored', 3)
  for (const figures of [stored, unstored]) {
    t.ok(isValid(figures), JSON.stringify(figures))
    t.ok(figures.messagesPerSecond > 0)
    t.ok(figures.latencyMs.p50 > 0)
  }
  // A stored message has an event id more, and nothing else.
  const eventIdBytes = stored.bytesPerDelivery - unstored.bytesPerDelivery
  t.ok(eventIdBytes > 10 && eventIdBytes < 60, `${eventIdBytes} bytes more`)
})

await t.test('fails a round in which publishers are refused', async (t) => {
  const plan = chatPlan(server.access, 'stored', ROOMS)
  const topics = plan.topics.map((topic) => ({ ...topic, before: '{"content":1' }))
  const pacing = { kind: 'saturated', window: 10 } as const
  const load = { plan: { ...plan, topics }, publishers: 1, subscribers: 1, generators: 1, pacing }
  await t.rejects(measureRound(server, load, DURATIONS), { message: /publisher 0/ })
})
