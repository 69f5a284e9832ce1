import type { Config } from '../../config/config.ts'
import { readTls } from '../../config/tls-files.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { ServerOptions } from '../server.ts'

/** So many more connections than may be served are heard out, so that they can be told 503. */
const HEADROOM = 1000

/** What the settings say of the server itself. @throws Error where the TLS files have changed for the worse */
export function serverOptions(
  config: Config,
  { connectionsRefused }: Pick<Metrics, 'connectionsRefused'>,
): ServerOptions {
  const tls = readTls(config)
  return {
    trustProxy: config.trustProxy,
    maxSilentPerAddress: config.limitConnectingPerAddress,
    maxConnectionsPerAddress: config.limitConnectionsPerAddress,
    maxConnections: config.limitConnections + HEADROOM,
    onCut: (reason) => connectionsRefused.inc({ reason }),
    ...(tls !== undefined && { tls }),
  }
}
