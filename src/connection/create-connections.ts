import type { Config } from '../config/config.ts'
import { Turn } from '../lib/outbox.ts'
import type { SessionServices } from '../session/session-services.ts'
import { TurnShare } from '../session/turn-share.ts'
import { Connections } from './upgrade.ts'

const CONNECT_TIMEOUT_MS = 10_000
const FRAME_TIMEOUT_MS = 30_000
const DISCONNECT_TIMEOUT_MS = 5000
const SLOW_CHECK_MS = 1000
const FAILED_COUNTS_MS = 2000

/** The connections of a node, with the bounds that its settings say. @param otherConnections count against `LIMIT_CONNECTIONS` too */
export function createConnections(
  config: Config,
  parts: Pick<
    SessionServices,
    'inbound' | 'hub' | 'registry' | 'deliveries' | 'metrics' | 'log' | 'serverName'
  >,
  otherConnections: () => number,
): Connections {
  const { metrics, log } = parts
  const session: SessionServices = {
    ...parts,
    turnShare: new TurnShare(),
    limits: { subscriptions: config.limitSubscriptions },
    disconnectTimeoutMs: DISCONNECT_TIMEOUT_MS,
  }
  const limits = {
    decoder: {
      frameBytes: config.limitFrameBytes,
      headers: config.limitHeaders,
      headerBytes: config.limitHeaderBytes,
    },
    outbox: { bytes: config.limitOutboxBytes, ms: config.limitOutboxMs },
    connectMs: CONNECT_TIMEOUT_MS,
    frameMs: FRAME_TIMEOUT_MS,
  }
  return new Connections(
    { session, turn: new Turn(metrics.hot), metrics, log, limits },
    {
      endpoints: config.endpoints,
      allowedOrigins: config.allowedOrigins,
      maxConnections: config.limitConnections,
      otherConnections,
      slowCheckMs: SLOW_CHECK_MS,
      maxConnectingPerAddress: config.limitConnectingPerAddress,
      failedCountsMs: FAILED_COUNTS_MS,
      compression: config.compression,
    },
  )
}
