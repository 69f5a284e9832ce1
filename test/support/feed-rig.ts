import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { Tokens } from '../../src/auth/tokens.ts'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { Hub } from '../../src/fanout/hub.ts'
import { registerFeeds, type FeedOptions } from '../../src/http/routes/feeds.ts'
import { createServer } from '../../src/http/server.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import type { StreamLog } from '../../src/store/store.ts'
import { StreamReader } from '../../src/stream/stream-reader.ts'
import { Streams } from '../../src/stream/streams.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { SessionRegistry } from '../../src/user/session-registry.ts'
import { SseReader } from './sse-reader.ts'
import { temporaryFolder } from './relay.ts'
import { TEST_SECRET, testToken } from './token.ts'
import { PUBLIC_ROOMS } from './facts.ts'

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

export interface FeedRigOptions {
  readonly config?: Partial<FeedOptions['config']>
  readonly keepAliveMs?: number
  readonly maxPerUser?: number
}

/** What happens before events are read from the log: it may wait, or throw. */
export interface ReadHook {
  beforeRead: (stream: string, afterOffset: number) => unknown
}

/** The address of each kind of event of alice's feed. */
const PLACES = {
  notification: { kind: 'user', user: 'alice', destination: '/user/queue/notifications' },
  order: { kind: 'user', user: 'alice', destination: '/user/queue/orders' },
  operation: { kind: 'user', user: 'alice', destination: '/user/queue/operations' },
  broadcast: { kind: 'topic', topic: 'broadcasts' },
} as const

export type Kind = keyof typeof PLACES

export const KINDS = ['notification', 'broadcast', 'order', 'operation'] as const

/** The feeds of a node alone, on a store and a broker that the test has in its hands. */
export async function feedRig(t: Teardown, options: FeedRigOptions = {}) {
  const folder = await temporaryFolder(t)
  const store = await openStore({ url: `sqlite:${folder}/relay.db`, nodeId: 'n', lock: true })
  t.teardown(() => store.close())
  const broker = createMemoryBroker()
  t.teardown(() => broker.close())
  const hook: ReadHook = { beforeRead: () => undefined }
  const log = pino({ level: 'silent' })
  const hub = new Hub({ broker, nodeId: 'n', streams: new StreamReader({ store: hooked(store, hook) }) })
  t.teardown(() => hub.close())
  const retention = { userDays: 7, days: 30 }
  const streams = new Streams({ store, broker, log, nodeId: 'n', boot: 'n-1', retention })
  t.teardown(() => streams.close())
  await broker.start(hub)
  await streams.start()
  const metrics = createMetrics()
  const registry = new SessionRegistry({ maxPerUser: options.maxPerUser ?? 1000 })
  const server = createServer(log)
  const tokens = new Tokens({ secret: TEST_SECRET })
  const feeds = registerFeeds(server, {
    authenticator: { authenticate: async ({ bearer }) => (await tokens.verify(bearer ?? '')) ?? undefined },
    facts: { ...PUBLIC_ROOMS, ownsOrder: async () => false },
    audit: { record: () => undefined },
    hub,
    registry,
    metrics,
    log,
    otherConnections: () => 0,
    slowCheckMs: 20,
    config: {
      allowedOrigins: [],
      limitConnections: 1000,
      limitOutboxBytes: 524_288,
      limitOutboxMs: 10_000,
      ...options.config,
    },
    ...(options.keepAliveMs !== undefined && { keepAliveMs: options.keepAliveMs }),
  })
  t.teardown(async () => {
    await feeds.drain(0)
    await server.close()
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.server.address() as AddressInfo
  const feed = `http://127.0.0.1:${port}/api/v1/notifications`
  const alice = { authorization: `Bearer ${await testToken('alice', 'user')}` }

  return {
    feeds,
    hub,
    hook,
    store,
    broker,
    registry,
    metrics,
    alice,
    streamUrl: `${feed}/stream`,
    pollUrl: `${feed}/poll`,
    sign: (ttlSeconds: number): Promise<string> =>
      tokens.sign({ name: 'alice', roles: ['user'] }, ttlSeconds),
    /** Stores an event, which is then relayed. */
    append: async (kind: Kind, payload: unknown): Promise<string> => {
      const address = PLACES[kind]
      const stream =
        address.kind === 'topic'
          ? `/topic/${address.topic}`
          : address.destination.replace('/user', `/user/${address.user}`)
      const events = [{ stream, address, payload }]
      const { eventIds } = await streams.appender.append(async () => ({ events, result: undefined }))
      return eventIds[0]!
    },
    /** What a service sends to a destination, which is not stored. */
    publish: (kind: Kind, body: string): Promise<void> =>
      broker.publish({ address: PLACES[kind], headers: [], body: Buffer.from(body), persistent: false }),
    open: (lastEventId?: string): Promise<SseReader> =>
      SseReader.open(t, `${feed}/stream`, {
        ...alice,
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      }),
    counters: feeds.services.counters,
  }
}

function hooked(store: Awaited<ReturnType<typeof openStore>>, hook: ReadHook) {
  const log: StreamLog = {
    head: (stream) => store.log.head(stream),
    heads: (streams) => store.log.heads(streams),
    async read(stream, afterOffset, limit) {
      await hook.beforeRead(stream, afterOffset)
      return store.log.read(stream, afterOffset, limit)
    },
    trim: (now, limit) => store.log.trim(now, limit),
  }
  return {
    log,
    get epoch() {
      return store.epoch
    },
    refreshEpoch: () => store.refreshEpoch(),
  }
}
