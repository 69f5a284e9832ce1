import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config/config.ts'
import type { Hub } from '../../fanout/hub.ts'
import { Turn } from '../../lib/outbox.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { SessionRegistry } from '../../user/session-registry.ts'
import { Cors } from '../cors.ts'
import { FeedClients } from '../feed/feed-clients.ts'
import type { FeedGuards } from '../feed/feed-guard.ts'
import { registerNotificationPoll } from './notification-poll.ts'
import { registerNotificationStream } from './notification-stream.ts'

const KEEP_ALIVE_MS = 15_000
const SLOW_CHECK_MS = 1000

export interface FeedOptions extends FeedGuards {
  readonly hub: Pick<Hub, 'subscribe'>
  readonly registry: SessionRegistry
  readonly metrics: Metrics
  readonly log: Log
  readonly config: Pick<Config, 'allowedOrigins' | 'limitConnections' | 'limitOutboxBytes' | 'limitOutboxMs'>
  /** Connections besides feeds that count against the limit. */
  readonly otherConnections: () => number
  /** Default 15,000. */
  readonly keepAliveMs?: number
  /** Default 1,000. */
  readonly slowCheckMs?: number
}

/**
 * The feed of a user over HTTP, as an event stream and by long polls. What is returned has to be
 * drained before the server is closed, or closing waits for the readers to leave.
 */
export function registerFeeds(server: FastifyInstance, options: FeedOptions): FeedClients {
  const { hub, metrics, log, config, registry, authenticator, facts, audit } = options
  const services = {
    hub,
    limits: { bytes: config.limitOutboxBytes, ms: config.limitOutboxMs },
    turn: new Turn(metrics.hot),
    metrics,
    log,
    keepAliveMs: options.keepAliveMs ?? KEEP_ALIVE_MS,
    counters: { opened: 0, polls: 0, events: 0, notRecovered: 0, refused: 0 },
  }
  const clients = new FeedClients({
    services,
    registry,
    maxConnections: config.limitConnections,
    otherConnections: options.otherConnections,
    slowCheckMs: options.slowCheckMs ?? SLOW_CHECK_MS,
  })
  const parts = { authenticator, facts, audit, clients, cors: new Cors(config.allowedOrigins) }
  registerNotificationStream(server, parts)
  registerNotificationPoll(server, parts)
  return clients
}
