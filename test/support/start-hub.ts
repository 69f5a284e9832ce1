import type { Address, BrokerMessage, Delivery, WatchTarget } from '../../src/broker/broker.ts'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { Hub } from '../../src/fanout/hub.ts'
import type { HubLimits, HubObserver } from '../../src/fanout/hub-options.ts'

interface Teardown {
  teardown(fn: () => unknown): void
}

/** A hub on an in-process broker of its own. */
export async function startHub(
  test: Teardown,
  options: { limits?: Partial<HubLimits>; observer?: HubObserver } = {},
) {
  const broker = createMemoryBroker()
  test.teardown(async () => broker.close())
  const hub = new Hub({ broker, nodeId: 'node-1', ...options })
  test.teardown(() => {
    hub.close()
  })
  await broker.start(hub)
  const publish = async (address: Address, body: string, rest: Partial<BrokerMessage> = {}) =>
    broker.publish({ address, headers: [], body: Buffer.from(body), persistent: false, ...rest })
  return { broker, hub, publish }
}

export const onTopic = (pattern: string) => ({
  target: { kind: 'topic', pattern } satisfies WatchTarget,
  destination: `/topic/${pattern}`,
})

export const onUser = (user: string) => ({
  target: { kind: 'user', user } satisfies WatchTarget,
  destination: '/user/queue/x',
})

export const topic = (name: string) => ({ kind: 'topic', topic: name }) as const

export const delivery = (name: string, body: string): Delivery => ({
  address: topic(name),
  headers: [],
  body: Buffer.from(body),
})
