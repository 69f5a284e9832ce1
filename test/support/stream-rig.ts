import { formatEventId } from '../../protocol/event-id.ts'
import type { Address, Delivery } from '../../src/broker/broker.ts'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { Hub, type HubSubscription } from '../../src/fanout/hub.ts'
import type { HubLimits } from '../../src/fanout/hub-options.ts'
import type { StartPosition } from '../../src/fanout/replay.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import type { Store, StoredEvent, StreamLog } from '../../src/store/store.ts'
import { StreamReader, type StreamReaderOptions } from '../../src/stream/stream-reader.ts'
import { RecordingSubscriber } from './recording-subscriber.ts'

interface Teardown {
  teardown(fn: () => unknown): void
  testdir(): string
}

export const STREAM = '/topic/rooms.kitchen'
const ADDRESS = { kind: 'topic', topic: 'rooms.kitchen' } as const
const NEVER_MS = 3_600_000

/** What happens around questions to the store: each may wait, or throw. */
export interface StoreHooks {
  beforeRead: (afterOffset: number) => unknown
  afterRead: (events: readonly StoredEvent[]) => unknown
  beforeHeads: () => unknown
  afterHeads: (heads: ReadonlyMap<string, number>) => unknown
  beforeEpoch: () => unknown
}

/** A hub over a real store; the test itself is the broker's relay: it says which events arrive, and when. */
export async function streamRig(
  t: Teardown,
  options: { limits?: Partial<HubLimits>; reader?: Omit<StreamReaderOptions, 'store'> } = {},
) {
  const path = `${t.testdir()}/relay.db`
  const store = await openStore({ url: `sqlite:${path}`, nodeId: 'n', lock: true })
  t.teardown(() => store.close())
  const nothing = (): void => undefined
  const hooks: StoreHooks = {
    beforeRead: nothing,
    afterRead: nothing,
    beforeHeads: nothing,
    afterHeads: nothing,
    beforeEpoch: nothing,
  }
  const faults: unknown[] = []
  const holes: string[] = []
  const broker = createMemoryBroker()
  t.teardown(() => broker.close())
  const hub = new Hub({
    broker,
    nodeId: 'node',
    streams: new StreamReader({ store: hooked(store, hooks), epochIntervalMs: 0, ...options.reader }),
    limits: { compareMs: NEVER_MS, compareGraceMs: 0, ...options.limits },
    observer: {
      hole: (reason) => holes.push(reason),
      storeFailed: (error) => faults.push(error),
      subscriberFailed: (error) => faults.push(error),
    },
  })
  t.teardown(() => hub.close())
  await broker.start(hub)
  const epoch = new StreamReader({ store }).epochOf(STREAM)

  const bring = (offset: number, rest: Partial<Delivery> = {}): void =>
    hub.onMessage({ ...eventDelivery(offset, formatEventId(epoch, offset)), ...rest })

  /** Subscribes to the stream. */
  const subscribe = async (
    from?: StartPosition,
    subscriber = new RecordingSubscriber(),
  ): Promise<HubSubscription & { readonly subscriber: RecordingSubscriber }> => {
    const target = { kind: 'topic', pattern: ADDRESS.topic } as const
    const begin = from !== undefined && { from }
    return { ...(await hub.subscribe({ target, destination: STREAM, subscriber, ...begin })), subscriber }
  }

  return {
    path,
    store,
    hub,
    hooks,
    faults,
    holes,
    epoch,
    broker,
    /** What the broker relays of an event. */
    bring,
    id: (offset: number): string => formatEventId(epoch, offset),
    /** Stores this many more events, whose bodies are their offsets, and `pad`. */
    append: (count: number, append: { pad?: string; expiresAt?: string } = {}) =>
      appendEvents(store, { count, ...append }),
    subscribe,
  }
}

function eventDelivery(offset: number, eventId: string): Delivery {
  return { address: ADDRESS, headers: [], body: Buffer.from(String(offset)), eventId }
}

async function appendEvents(
  store: Store,
  options: { count: number; pad?: string; expiresAt?: string },
): Promise<void> {
  const { count, pad = '', expiresAt = '2999-01-01T00:00:00.000Z' } = options
  const head = await store.log.head(STREAM)
  await store.transact(async (tx) => {
    const rows = Array.from({ length: count }, (_, i) => ({
      stream: STREAM,
      address: ADDRESS satisfies Address,
      headers: [],
      body: `${head + 1 + i}${pad}`,
      createdAt: new Date().toISOString(),
      expiresAt,
    }))
    const appended = await tx.appendEvents(rows)
    return appended
  })
  const rows = await store.outbox.pending(0, 100_000)
  await store.outbox.remove(rows.map(({ seq }) => seq))
}

function hooked(store: Store, hooks: StoreHooks): StreamReaderOptions['store'] {
  const log: StreamLog = {
    head: (stream) => store.log.head(stream),
    async heads(streams) {
      await hooks.beforeHeads()
      const heads = await store.log.heads(streams)
      return ((await hooks.afterHeads(heads)) as ReadonlyMap<string, number> | undefined) ?? heads
    },
    async read(stream, afterOffset, limit) {
      await hooks.beforeRead(afterOffset)
      const events = await store.log.read(stream, afterOffset, limit)
      await hooks.afterRead(events)
      return events
    },
    trim: (now, limit) => store.log.trim(now, limit),
  }
  return {
    log,
    get epoch() {
      return store.epoch
    },
    async refreshEpoch() {
      await hooks.beforeEpoch()
      return store.refreshEpoch()
    },
  }
}
