import type { Hub } from '../../fanout/hub.ts'
import type { OutboxLimits, Turn } from '../../lib/outbox.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'

/** What feeds did on this node since it started. */
export interface FeedCounters {
  /** Streams begun. */
  opened: number
  /** Long polls answered. */
  polls: number
  /** Events handed out, by either way. */
  events: number
  /** Readers who were told that something lies between. */
  notRecovered: number
  /** Readers who were turned away. */
  refused: number
}

/** What every reader of a feed uses. */
export interface FeedServices {
  readonly hub: Pick<Hub, 'subscribe'>
  readonly limits: OutboxLimits
  readonly turn: Turn
  readonly metrics: Metrics
  readonly log: Log
  /** How often a stream says that it is alive, milliseconds. */
  readonly keepAliveMs: number
  readonly counters: FeedCounters
}
