import { setTimeout as delay } from 'node:timers/promises'
import type { RunningContestant, WriteCounts } from '../contestants/contestant.ts'
import { LoadGroup, type LoadMark, type LoadResult, type LoadSetting } from '../load/load-group.ts'
import { isFaultless, type Faults } from '../load/delivery-checker.ts'
import { percentileUs } from './latency-histogram.ts'
import { readServerUsage, untilIdle, type ServerUsage } from './server-usage.ts'

export interface RoundDurations {
  readonly warmUpMs: number
  readonly measureMs: number
}

export interface RoundFigures {
  readonly seconds: number
  readonly deliveriesPerSecond: number
  readonly messagesPerSecond: number
  readonly cpuUsPerDelivery: {
    readonly total: number
    readonly relay: number
    readonly broker: number
    readonly database: number
  }
  readonly rssMiB: { readonly relay: number; readonly broker: number }
  /** As the server counts; where it does not, deliveries per read of the generator, which is near. */
  readonly framesPerWrite: number
  readonly isFramesPerWriteCounted: boolean
  /** Bytes a subscriber receives per delivery, framing included. */
  readonly bytesPerDelivery: number
  readonly latencyMs: { readonly p50: number; readonly p99: number }
  /** The busiest generator process, as a share of one core: near 1 it was the limit, not the server. */
  readonly generatorLoad: number
  readonly faults: Faults
  readonly isDrained: boolean
  /** A paced publisher could not keep its rate. */
  readonly hasHeldBack: boolean
}

/** One round of one contestant: connect, warm up, measure, drain, check, disconnect. */
export async function measureRound(
  contestant: RunningContestant,
  load: LoadSetting,
  durations: RoundDurations,
): Promise<RoundFigures> {
  await untilIdle(contestant.pids)
  const group = await LoadGroup.connect(contestant, load)
  try {
    await untilIdle(contestant.pids)
    group.go()
    await delay(durations.warmUpMs)
    const before = await takeSample(contestant, group)
    await delay(durations.measureMs)
    const after = await takeSample(contestant, group)
    return figures(before, after, await group.finish())
  } finally {
    await group.close()
  }
}

/** Whether every message arrived everywhere, once and in order. */
export function isValid(round: RoundFigures): boolean {
  return round.isDrained && isFaultless(round.faults)
}

export interface Sample {
  readonly load: LoadMark
  readonly usage: ServerUsage
  readonly writes: WriteCounts | undefined
}

export async function takeSample(contestant: RunningContestant, group: LoadGroup): Promise<Sample> {
  const [load, usage] = await Promise.all([group.mark(), readServerUsage(contestant.pids)])
  return { load, usage, writes: await contestant.writeCounts() }
}

/** What happened between two samples. */
export function figures(before: Sample, after: Sample, result: LoadResult): RoundFigures {
  const elapsedUs = after.load.atUs - before.load.atUs
  const deliveries = after.load.deliveries - before.load.deliveries
  const cpu = (of: keyof ServerUsage): number => (after.usage[of].cpuUs - before.usage[of].cpuUs) / deliveries
  const [relay, broker, database] = [cpu('relay'), cpu('broker'), cpu('database')]
  const generatorLoads = after.load.cpuUs.map((cpuUs, i) => (cpuUs - before.load.cpuUs[i]!) / elapsedUs)
  const latency = (share: number): number => (percentileUs(after.load.latency, share) ?? Number.NaN) / 1000
  return {
    seconds: elapsedUs / 1e6,
    deliveriesPerSecond: (deliveries / elapsedUs) * 1e6,
    messagesPerSecond: ((after.load.published - before.load.published) / elapsedUs) * 1e6,
    cpuUsPerDelivery: { total: relay + broker + database, relay, broker, database },
    rssMiB: { relay: after.usage.relay.rssBytes / 2 ** 20, broker: after.usage.broker.rssBytes / 2 ** 20 },
    ...framesPerWrite(before, after, deliveries),
    bytesPerDelivery: (after.load.bytes - before.load.bytes) / deliveries,
    latencyMs: { p50: latency(0.5), p99: latency(0.99) },
    generatorLoad: Math.max(...generatorLoads),
    ...result,
  }
}

function framesPerWrite(
  before: Sample,
  after: Sample,
  deliveries: number,
): Pick<RoundFigures, 'framesPerWrite' | 'isFramesPerWriteCounted'> {
  if (before.writes !== undefined && after.writes !== undefined) {
    const writes = after.writes.writes - before.writes.writes
    const frames = after.writes.frames - before.writes.frames
    if (writes > 0) return { framesPerWrite: frames / writes, isFramesPerWriteCounted: true }
  }
  const reads = Math.max(1, after.load.reads - before.load.reads)
  return { framesPerWrite: deliveries / reads, isFramesPerWriteCounted: false }
}
