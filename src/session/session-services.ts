import type { Hub } from '../fanout/hub.ts'
import type { Inbound } from '../inbound/inbound.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { TurnShare } from './turn-share.ts'
import type { DeliveryObserver } from './delivery-observer.ts'
import type { SessionRegistry } from '../user/session-registry.ts'

/** What every session of a node shares. */
export interface SessionServices {
  readonly inbound: Inbound
  readonly hub: Hub
  readonly registry: SessionRegistry
  readonly turnShare: TurnShare
  readonly deliveries: DeliveryObserver
  readonly metrics: Metrics
  readonly log: Log
  /** The `server` header of CONNECTED: `NAME/VERSION` (STOMP 1.2, "CONNECTED Frame"). */
  readonly serverName: string
  readonly limits: { readonly subscriptions: number }
  /** How long DISCONNECT waits for what is under way, milliseconds. */
  readonly disconnectTimeoutMs: number
}
