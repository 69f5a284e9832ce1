import { cpus } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { createMemoryBroker } from '../src/broker/memory/memory-broker.ts'
import type { EncodedBatch, EncodedFrame } from '../src/fanout/encoded-batch.ts'
import { Hub } from '../src/fanout/hub.ts'

/**
 * What fan-out costs before any socket: processor time of the hub per message and per delivery, the
 * rendering of each batch included. `node --import tsx bench/hub.ts`
 */
interface Case {
  readonly name: string
  readonly subscribers: number
  /** How many different subscription ids the subscribers share. */
  readonly ids: number
  /** Messages that arrive in one turn of the event loop. */
  readonly perTurn: number
  readonly patterns?: number
}

const MESSAGES = 20_000
const ROUNDS = 5
const BODY = Buffer.alloc(128, 'x')
const HEADERS = ['content-type', 'application/json'] as const
const CASES: readonly Case[] = [
  { name: '1 subscriber, 1 message a turn', subscribers: 1, ids: 1, perTurn: 1 },
  { name: '1 subscriber', subscribers: 1, ids: 1, perTurn: 50 },
  { name: '1 subscriber, beside 100 patterns', subscribers: 1, ids: 1, perTurn: 50, patterns: 100 },
  { name: '500 subscribers, same id, 1 message a turn', subscribers: 500, ids: 1, perTurn: 1 },
  { name: '500 subscribers, same id', subscribers: 500, ids: 1, perTurn: 50 },
  { name: '500 subscribers, 10 ids', subscribers: 500, ids: 10, perTurn: 50 },
  { name: '500 subscribers, 500 ids', subscribers: 500, ids: 500, perTurn: 50 },
  { name: '10,000 subscribers, same id', subscribers: 10_000, ids: 1, perTurn: 50 },
]

console.log(
  `hub on ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}; medians of ${ROUNDS} rounds`,
)
for (const each of CASES) {
  const rounds: number[] = []
  await measure(each)
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measure(each))
  const us = rounds.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]!
  const perSecond = Math.round((1_000 * each.subscribers) / us)
  console.log(
    `${each.name.padEnd(46)} ${us.toFixed(2).padStart(8)} us/message ${String(perSecond).padStart(8)}k deliveries/s`,
  )
}

/** @returns microseconds of processor time per message */
async function measure({ subscribers, ids, perTurn, patterns = 0 }: Case): Promise<number> {
  const broker = createMemoryBroker()
  const hub = new Hub({ broker, nodeId: 'node' })
  await broker.start(hub)
  let bytes = 0
  const deliver = (batch: EncodedBatch): void => {
    bytes += batch.render(joined).length
  }
  for (let index = 0; index < subscribers; index += 1) {
    const subscriber = { subscriptionId: `sub-${index % ids}`, version: '1.2', deliver } as const
    await hub.subscribe({
      target: { kind: 'topic', pattern: 'bench' },
      destination: '/topic/bench',
      subscriber,
    })
  }
  for (let index = 0; index < patterns; index += 1) {
    const subscriber = { subscriptionId: 'sub', version: '1.2', deliver } as const
    const pattern = `other${index}.*`
    await hub.subscribe({ target: { kind: 'topic', pattern }, destination: `/topic/${pattern}`, subscriber })
  }
  const address = { kind: 'topic', topic: 'bench' } as const
  const messages = subscribers > 1_000 ? MESSAGES / 10 : MESSAGES
  const before = process.cpuUsage()
  for (let sent = 0; sent < messages; sent += perTurn) {
    for (let index = 0; index < perTurn; index += 1) hub.onMessage({ address, headers: HEADERS, body: BODY })
    await turn()
  }
  const { user, system } = process.cpuUsage(before)
  if (hub.counters.delivered !== messages * subscribers)
    throw new Error(`${hub.counters.delivered} delivered`)
  if (bytes === 0) throw new Error('nothing was rendered')
  await broker.close()
  return (user + system) / messages
}

function joined(frames: readonly EncodedFrame[]): Uint8Array {
  return Buffer.concat(frames.map((frame) => frame.bytes))
}
