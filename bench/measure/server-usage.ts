import { setTimeout as delay } from 'node:timers/promises'
import type { ServerPids } from '../contestants/contestant.ts'
import { readProcTree, type ProcUsage } from './proc-usage.ts'

export interface ServerUsage {
  readonly relay: ProcUsage
  readonly broker: ProcUsage
  readonly database: ProcUsage
}

const NOTHING: ProcUsage = { cpuUs: 0, rssBytes: 0 }
const IDLE_SAMPLE_MS = 250
/** Share of one core; an idle RabbitMQ and an idle relay lie well below. */
const IDLE_SHARE = 0.08
const IDLE_PATIENCE_MS = 15_000

export async function readServerUsage(pids: ServerPids): Promise<ServerUsage> {
  const all = [pids.relay, pids.broker, pids.database].map(readOptional)
  const [relay = NOTHING, broker = NOTHING, database = NOTHING] = await Promise.all(all)
  return { relay, broker, database }
}

/**
 * Waits until the servers have put away what they did before (RabbitMQ deletes the queues of clients
 * that left for seconds). Gives up waiting after 15 s: what is still going on then belongs to them.
 */
export async function untilIdle(pids: ServerPids): Promise<void> {
  const giveUpAt = Date.now() + IDLE_PATIENCE_MS
  let before = await readServerUsage(pids)
  while (Date.now() < giveUpAt) {
    await delay(IDLE_SAMPLE_MS)
    const now = await readServerUsage(pids)
    const usedUs = totalUs(now) - totalUs(before)
    if (usedUs / 1000 / IDLE_SAMPLE_MS < IDLE_SHARE) return
    before = now
  }
}

function totalUs({ relay, broker, database }: ServerUsage): number {
  return relay.cpuUs + broker.cpuUs + database.cpuUs
}

async function readOptional(pid: number | undefined): Promise<ProcUsage> {
  return pid === undefined ? NOTHING : readProcTree(pid)
}
