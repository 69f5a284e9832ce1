import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { onParent, tellParent } from '../../bench/load/ipc.ts'
import { readConfig } from '../../src/config/config.ts'
import { startRelay } from '../../src/relay.ts'
import { createLog } from '../../src/telemetry/log.ts'
import type { FromChurnRelay, ToChurnRelay } from './churn-messages.ts'

/*
 * A node that tells its parent what it holds: timers and sockets as Node counts them, and what is left of
 * its heap after a collection.
 */

/** Some objects go only with the second collection: those whose finalizers let go of others. */
const COLLECTIONS = 4

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function say(message: FromChurnRelay): void {
  tellParent(message)
}

async function census(): Promise<void> {
  for (let i = 0; i < COLLECTIONS; i++) {
    collect()
    await turn()
  }
  const resources: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  say({ type: 'census', heapBytes: process.memoryUsage().heapUsed, resources })
}

async function serve(settings: Readonly<Record<string, string>>): Promise<void> {
  const config = readConfig(settings)
  const relay = await startRelay(config, createLog({ level: config.logLevel, nodeId: config.nodeId }))
  say({ type: 'listening', address: relay.address })
}

onParent<ToChurnRelay>(
  async (message) => (message.type === 'serve' ? serve(message.settings) : census()),
  (reason) => say({ type: 'failed', reason }),
)
