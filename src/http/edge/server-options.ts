import type { Config } from '../../config/config.ts'
import { readTls } from '../../config/tls-files.ts'
import type { ServerOptions } from '../server.ts'

/** What the settings say of the server itself. @throws Error where the TLS files have changed for the worse */
export function serverOptions(config: Config): ServerOptions {
  const tls = readTls(config)
  return {
    trustProxy: config.trustProxy,
    maxSilentPerAddress: config.limitConnectingPerAddress,
    ...(tls !== undefined && { tls }),
  }
}
