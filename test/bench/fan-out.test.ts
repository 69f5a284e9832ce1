import t from 'tap'
import { rawWs } from '../../bench/contestants/raw-ws.ts'
import { isValid, measureRound, type RoundFigures } from '../../bench/measure/round.ts'
import { oneTopicPlan } from '../../bench/load/client-plan.ts'
import type { Pacing } from '../../bench/load/process-messages.ts'

const DURATIONS = { warmUpMs: 50, measureMs: 300 }

const server = await rawWs.start()
t.teardown(async () => server.stop())
const plan = oneTopicPlan(server.access, '/topic/bench')

async function round(pacing: Pacing, framesPerWrite: number): Promise<RoundFigures> {
  await server.prepare({ framesPerWrite, rawFrameBytes: 0 })
  return measureRound(server, { plan, publishers: 1, subscribers: 3, generators: 2, pacing }, DURATIONS)
}

await t.test('delivers everything to 3 subscribers of raw-ws in 2 processes, saturated', async (t) => {
  const figures = await round({ kind: 'saturated', window: 50 }, 5)
  t.ok(isValid(figures))
  t.ok(figures.deliveriesPerSecond > 100)
  t.ok(figures.cpuUsPerDelivery.relay > 0)
  t.equal(figures.cpuUsPerDelivery.broker, 0)
  t.ok(figures.rssMiB.relay > 10)
  t.ok(figures.latencyMs.p50 > 0)
  t.equal(Math.round(figures.bytesPerDelivery), 132)
})

await t.test('keeps a rate', async (t) => {
  const figures = await round({ kind: 'paced', messagesPerSecond: 200 }, 1)
  t.ok(isValid(figures))
  t.notOk(figures.hasHeldBack)
  t.ok(figures.messagesPerSecond > 100 && figures.messagesPerSecond < 300, `${figures.messagesPerSecond}/s`)
})
