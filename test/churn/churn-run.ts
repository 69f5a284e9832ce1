import { setTimeout as delay } from 'node:timers/promises'
import type { TestRabbitMq } from '../support/rabbitmq.ts'
import { HASTE, temporaryFolder } from '../support/relay.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'
import { until } from '../support/until.ts'
import { CountedRelay, type Census } from './census.ts'
import { makeQueues, QUEUES, visit, type VisitOptions } from './visits.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

export interface ChurnOptions {
  readonly visits: number
  /** Before anything is counted: what is made once, and caches that have a bound, are there then. */
  readonly warmUp: number
  readonly rabbit: TestRabbitMq
  say(line: string): void
}

export interface ChurnReport {
  readonly before: Census
  readonly after: Census
  /** Bytes after a collection. */
  readonly heap: { readonly before: number; readonly after: number }
  /** What differs, in words; empty where all is as it was. */
  readonly faults: readonly string[]
}

const LANES = 16
const USERS = 200
/** How much more the heap may be. */
const HEAP_GROWTH = 1.1
/** Bindings linger for 30 s; RabbitMQ may take its time on a busy machine. */
const PATIENCE_MS = 120_000
const POLL_MS = 1000

/** Visits a relay before RabbitMQ again and again, and compares what both hold with what they held before. */
export async function runChurn(t: Teardown, options: ChurnOptions): Promise<ChurnReport> {
  const { rabbit, visits, warmUp } = options
  const folder = await temporaryFolder(t)
  const relay = await CountedRelay.start(rabbit, {
    ...HASTE,
    NODE_ENV: 'production',
    PORT: '0',
    LOG_LEVEL: 'error',
    AUTH_JWT_SECRET: TEST_SECRET,
    DATABASE_URL: `sqlite:${folder}/relay.db`,
    RABBITMQ_STOMP_URL: rabbit.stompUrl,
    RABBITMQ_AMQP_URL: rabbit.amqpUrl,
  })
  t.teardown(async () => relay.stop())
  await until(async () => (await fetch(`${relay.address}/readyz`)).ok)
  const fresh = await relay.census()
  const names = Array.from({ length: USERS }, (_, index) => testToken(`churn-${index}`, 'service'))
  const visiting: VisitOptions = {
    url: `${relay.address.replace('http', 'ws')}/ws`,
    tokens: await Promise.all(names),
    lanes: LANES,
  }
  await makeQueues(visiting)
  await visit(visiting, 0, warmUp)
  options.say(`${warmUp} visits to warm up`)
  // The queues that visitors share are there now, a binding to the default exchange each.
  const expected = {
    ...fresh,
    'RabbitMQ queues': fresh['RabbitMQ queues']! + QUEUES,
    'RabbitMQ bindings': fresh['RabbitMQ bindings']! + QUEUES,
  }
  const before = await settled(relay, expected)
  const heapBefore = await relay.heapBytes()
  options.say('counted')
  const startedAt = performance.now()
  await visit(visiting, warmUp, visits)
  options.say(`${visits} visits in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
  const after = await settled(relay, before)
  const heap = { before: heapBefore, after: await relay.heapBytes() }
  return { before, after, heap, faults: faultsOf(before, after, heap) }
}

/** Asks until all is as expected or patience ends, since no event tells that RabbitMQ has put all away. */
async function settled(relay: CountedRelay, expected: Census): Promise<Census> {
  const giveUpAt = performance.now() + PATIENCE_MS
  let census = await relay.census()
  while (differences(expected, census).length > 0 && performance.now() < giveUpAt) {
    await delay(POLL_MS)
    census = await relay.census()
  }
  return census
}

function faultsOf(before: Census, after: Census, heap: ChurnReport['heap']): readonly string[] {
  const faults = differences(before, after).map(
    (name) => `${name}: ${before[name] ?? 0} -> ${after[name] ?? 0}`,
  )
  if (heap.after > heap.before * HEAP_GROWTH) faults.push(`heap: ${heap.before} -> ${heap.after} bytes`)
  return faults
}

/** What is not as it was. A node has timers that come and go: only more of its own than before are a fault. */
function differences(before: Census, after: Census): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => {
    const more = (after[name] ?? 0) - (before[name] ?? 0)
    return name.startsWith('relay') ? more > 0 : more !== 0
  })
}

/** Before and after, a line each. */
export function churnTable({ before, after, heap }: ChurnReport): string {
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const rows = [
    ['', 'before', 'after'],
    ...names.map((name) => [name, String(before[name] ?? 0), String(after[name] ?? 0)]),
    ['relay heap after a collection', mib(heap.before), mib(heap.after)],
  ]
  return rows.map(([a, b, c]) => `${a!.padEnd(32)} ${b!.padStart(10)} ${c!.padStart(10)}`).join('\n')
}
