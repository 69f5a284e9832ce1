import { Server as HttpsServer } from 'node:https'
import type { FastifyInstance } from 'fastify'
import { readTls, type TlsFiles } from '../../config/tls-files.ts'
import type { Log } from '../../telemetry/log.ts'

/**
 * Reads certificate and key again, for connections to come. Where they cannot serve, those in use stay, and
 * the log says so.
 */
export function reloadTls(server: FastifyInstance, files: TlsFiles, log: Log): void {
  try {
    const tls = readTls(files)
    if (tls === undefined || !(server.server instanceof HttpsServer)) return
    server.server.setSecureContext({ ...tls, minVersion: 'TLSv1.2' })
    log.info({ event: 'tls-reloaded' }, 'certificate and key were read again')
  } catch (error) {
    log.error(
      { event: 'tls-reload-failed', err: error },
      'certificate and key cannot be used: the old ones stay',
    )
  }
}
