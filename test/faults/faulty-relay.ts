import { once } from 'node:events'
import { readConfig } from '../../src/config/config.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { startRelay } from '../../src/relay.ts'
import type { Store } from '../../src/store/store.ts'
import { createLog } from '../../src/telemetry/log.ts'
import type { KillOrder, KillPoint } from './kill-point.ts'

/*
 * A node that kills itself where its parent wants, by hooks around the two ports. It gets its settings from
 * its parent, answers with the address it serves, takes orders (`KillOrder`), and ends with its parent.
 */

let order: KillOrder | undefined
let left = 0

/** Whether this is the time and the place. */
function isHere(point: KillPoint): boolean {
  if (order?.point !== point) return false
  left -= 1
  return left === 0
}

/** The signal takes effect before the call returns. */
function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

/** The target with some methods of our own; all others, and getters, see the target itself. */
function withMethods<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      const own: unknown = Reflect.get(methods, name)
      if (own !== undefined) return own
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

function mortalStore(store: Store): Store {
  return withMethods(store, {
    async transact(work) {
      const result = await store.transact(async (tx) => {
        const written = await work(tx)
        if (isHere('before-commit')) die()
        return written
      })
      if (isHere('after-commit')) die()
      return result
    },
    outbox: withMethods(store.outbox, {
      async remove(seqs) {
        if (isHere('before-removal')) die()
        await store.outbox.remove(seqs)
      },
    }),
  })
}

function mortalBroker(broker: Broker): Broker {
  return withMethods(broker, {
    async publish(message, options) {
      const confirmed = broker.publish(message, options)
      if (message.eventId === undefined || !isHere('before-confirm')) return confirmed
      // Both happen to whoever waits for a confirmation: the broker never got it, or has it.
      const hasLeft = (order?.occurrence ?? 0) % 2 === 0
      if (hasLeft) await confirmed
      die()
    },
  })
}

process.on('disconnect', () => process.exit(0))

const [settings] = (await once(process, 'message')) as [Readonly<Record<string, string>>]
const config = readConfig(settings)
const log = createLog({ level: config.logLevel, nodeId: config.nodeId })
const relay = await startRelay(config, log, { store: mortalStore, broker: mortalBroker })
process.on('message', (message) => {
  order = message as KillOrder
  left = order.occurrence
})
process.send?.({ address: relay.address })
