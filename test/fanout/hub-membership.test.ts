import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import * as fc from 'fast-check'
import t from 'tap'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { Hub, type HubSubscription } from '../../src/fanout/hub.ts'
import { RecordingSubscriber } from '../support/recording-subscriber.ts'

const PATTERNS = ['a', 'b', '*', '#', 'a.c', 'a.*']
const TOPICS: Record<string, readonly string[]> = {
  a: ['a', '*', '#'],
  b: ['b', '*', '#'],
  'a.c': ['a.c', 'a.*', '#'],
}

interface Place {
  readonly pattern: string
  readonly subscriber: RecordingSubscriber
  readonly subscription: HubSubscription
  readonly expected: string[]
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('join' as const), pattern: fc.constantFrom(...PATTERNS), id: fc.nat(2) }),
  fc.record({ kind: fc.constant('leave' as const), who: fc.nat() }),
  fc.record({ kind: fc.constant('message' as const), topic: fc.constantFrom(...Object.keys(TOPICS)) }),
  fc.record({ kind: fc.constant('message' as const), topic: fc.constantFrom(...Object.keys(TOPICS)) }),
  fc.record({ kind: fc.constant('turn' as const) }),
)

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** Replays the steps; returns what each subscriber got beside what it was to get. */
async function replay(steps: readonly Step[], pendingMessages: number) {
  const broker = createMemoryBroker()
  const hub = new Hub({ broker, nodeId: 'n', limits: { pendingMessages, rememberedTopics: 2 } })
  await broker.start(hub)
  const all: Place[] = []
  let present: Place[] = []
  let count = 0
  for (const each of steps) {
    if (each.kind === 'turn') await turn()
    if (each.kind === 'join') {
      const { pattern } = each
      const subscriber = new RecordingSubscriber(`sub-${each.id}`)
      const target = { kind: 'topic', pattern } as const
      const subscription = await hub.subscribe({ target, destination: `/topic/${pattern}`, subscriber })
      const place = { pattern, subscriber, subscription, expected: [] }
      present.push(place)
      all.push(place)
    }
    if (each.kind === 'leave') {
      const leaving = present[each.who % Math.max(1, present.length)]
      leaving?.subscription.close()
      present = present.filter((place) => place !== leaving)
    }
    if (each.kind === 'message') {
      count += 1
      const address = { kind: 'topic', topic: each.topic } as const
      await broker.publish({ address, headers: [], body: Buffer.from(String(count)), persistent: false })
      const wanted = present.filter(({ pattern }) => TOPICS[each.topic]!.includes(pattern))
      for (const place of wanted) place.expected.push(String(count))
    }
  }
  hub.close()
  await broker.close()
  return {
    got: all.map(({ subscriber }) => subscriber.bodies),
    expected: all.map(({ expected }) => expected),
  }
}

await t.test('gives each subscriber exactly the messages between its join and its leave', async () => {
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 60 }),
    fc.integer({ min: 1, max: 5 }),
    async (steps, pendingMessages) => {
      const { got, expected } = await replay(steps, pendingMessages)
      assert.deepEqual(got, expected)
    },
  )
  await fc.assert(property, { numRuns: 300 })
})
