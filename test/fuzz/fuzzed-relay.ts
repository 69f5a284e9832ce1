import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { pino } from 'pino'
import { onParent, tellParent } from '../../bench/load/ipc.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { readConfig } from '../../src/config/config.ts'
import { startRelay } from '../../src/relay.ts'
import type { Store } from '../../src/store/store.ts'
import type { FromFuzzedRelay, ToFuzzedRelay } from './fuzz-messages.ts'

/*
 * A node that tells its parent what it holds, what it has done to store and broker, and what went wrong in
 * it without ending it.
 */

/** Some objects go only with the second collection: those whose finalizers let go of others. */
const COLLECTIONS = 4
/** One says enough; a flood of one kind must not fill the memory of the test. */
const MAX_FAULTS = 50

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const faults: string[] = []
let acts = 0

function fault(text: string): void {
  if (faults.length < MAX_FAULTS) faults.push(text)
}

process.on('unhandledRejection', (reason) => fault(`unhandled rejection: ${String(reason)}`))
process.on('uncaughtExceptionMonitor', (error) => process.stderr.write(`${error.stack}\n`))

/** The target, whose named methods count as acts. */
function counted<T extends object>(target: T, names: ReadonlySet<string | symbol>): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (names.has(name)) acts += 1
      return value.bind(target) as unknown
    },
  })
}

async function census(): Promise<void> {
  for (let i = 0; i < COLLECTIONS; i++) {
    collect()
    await turn()
  }
  const resources: Record<string, number> = {}
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1
  say({ type: 'census', heapBytes: process.memoryUsage().heapUsed, resources, acts, faults })
}

async function serve(settings: Readonly<Record<string, string>>): Promise<void> {
  const log = pino({ level: 'error' }, { write: (line: string) => fault(line) })
  const relay = await startRelay(readConfig(settings), log, {
    store: (store: Store) => counted(store, new Set(['transact', 'messages'])),
    broker: (broker: Broker) => counted(broker, new Set(['publish', 'watch', 'openSession'])),
  })
  say({ type: 'listening', address: relay.address })
}

function say(message: FromFuzzedRelay): void {
  tellParent(message)
}

onParent<ToFuzzedRelay>(
  async (message) => (message.type === 'serve' ? serve(message.settings) : census()),
  (reason) => say({ type: 'failed', reason }),
)
