import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { header } from '../../protocol/frame.ts'
import { App } from '../../src/app/app.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import type { ConnectionServices } from '../../src/connection/connection.ts'
import { Turn } from '../../src/lib/outbox.ts'
import { Connections, type UpgradeOptions } from '../../src/connection/upgrade.ts'
import { Hub } from '../../src/fanout/hub.ts'
import { createServer } from '../../src/http/server.ts'
import type { Interceptor } from '../../src/inbound/chain.ts'
import { Inbound } from '../../src/inbound/inbound.ts'
import { TurnShare } from '../../src/session/turn-share.ts'
import { createLog, type Log } from '../../src/telemetry/log.ts'
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts'
import { SessionRegistry } from '../../src/user/session-registry.ts'
import { PUBLIC_ROOMS } from './facts.ts'

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

export interface ConnectionRig {
  /** `ws://…/ws` */
  readonly url: string
  readonly port: number
  readonly connections: Connections
  readonly server: FastifyInstance
  readonly broker: Broker
  readonly app: App
  readonly metrics: Metrics
}

export interface ConnectionRigOptions {
  readonly limits?: Partial<ConnectionServices['limits']>
  readonly upgrade?: Partial<UpgradeOptions>
  readonly interceptors?: readonly Interceptor[]
  /** Called before the endpoints are there. */
  readonly register?: (server: FastifyInstance, metrics: Metrics) => Promise<void>
  readonly log?: Log
  /** Called before the server listens. */
  readonly prepare?: (rig: Pick<ConnectionRig, 'server' | 'connections'>) => void
}

/**
 * Connections over a real HTTP server, with bounds of the test's choice where the settings have none.
 * Whoever gives a `login` is in, as an administrator.
 */
export async function connectionRig(t: Teardown, options: ConnectionRigOptions = {}): Promise<ConnectionRig> {
  const broker = createMemoryBroker()
  t.teardown(() => broker.close())
  const hub = new Hub({ broker, nodeId: 'test' })
  t.teardown(() => hub.close())
  await broker.start(hub)
  const app = new App()
  const metrics = createMetrics()
  const log = options.log ?? createLog({ level: 'silent', nodeId: 'test' })
  const identify: Interceptor = (call) => {
    const login = call.kind === 'CONNECT' ? header(call.headers, 'login') : undefined
    if (call.kind === 'CONNECT' && login !== undefined) call.principal = { name: login, roles: ['admin'] }
  }
  const interceptors = [identify, ...(options.interceptors ?? [])]
  const inbound = new Inbound({
    interceptors,
    app,
    broker,
    facts: { ...PUBLIC_ROOMS, ownsOrder: async () => false },
  })
  const connections = new Connections(
    {
      session: {
        inbound,
        hub,
        registry: new SessionRegistry({ maxPerUser: 100 }),
        turnShare: new TurnShare(),
        deliveries: { handed: () => undefined },
        metrics,
        log,
        serverName: 'test/1',
        limits: { subscriptions: 100 },
        disconnectTimeoutMs: 1000,
      },
      turn: new Turn(metrics.hot),
      metrics,
      log,
      limits: {
        decoder: { frameBytes: 65_536, headers: 64, headerBytes: 8192 },
        outbox: { bytes: 524_288, ms: 10_000 },
        connectMs: 60_000,
        frameMs: 60_000,
        ...options.limits,
      },
    },
    {
      endpoints: ['/ws'],
      allowedOrigins: [],
      maxConnections: 1000,
      otherConnections: () => 0,
      slowCheckMs: 50,
      maxConnectingPerAddress: 1000,
      failedCountsMs: 2000,
      compression: false,
      ...options.upgrade,
    },
  )
  const server = createServer(log)
  await options.register?.(server, metrics)
  await connections.register(server)
  options.prepare?.({ server, connections })
  t.teardown(async () => {
    await connections.drain(0)
    await server.close()
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.server.address() as AddressInfo
  return { url: `ws://127.0.0.1:${port}/ws`, port, connections, server, broker, app, metrics }
}
