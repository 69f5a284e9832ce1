import type { FastifyInstance } from 'fastify'
import { RequestError } from '../../errors.ts'
import { addressKey } from '../../lib/address-key.ts'
import type { Attempts } from '../../lib/attempts.ts'
import type { Metrics } from '../../telemetry/metrics.ts'

/** Where somebody may guess: each request counts as a login, whatever its method. */
export const LOGIN_PATHS: ReadonlySet<string> = new Set([
  '/api/v1/auth/login',
  '/api/v1/auth/register',
  '/api/v1/auth/refresh',
])

/**
 * Bounds the logins of each address, together with the wrong passcodes that it sent in CONNECT. Refuses
 * before the body is read and before any password is hashed.
 */
export function registerLoginLimit(
  server: FastifyInstance,
  { logins, metrics }: { readonly logins: Attempts; readonly metrics: Pick<Metrics, 'requestsRefused'> },
): void {
  server.addHook('onRequest', async (request, reply) => {
    if (!LOGIN_PATHS.has(request.routeOptions.url ?? '') || request.method === 'OPTIONS') return
    const key = addressKey(request.ip)
    const waitMs = logins.waitMs(key)
    if (waitMs === 0) {
      logins.count(key)
      return
    }
    metrics.requestsRefused.inc({ reason: 'logins' })
    void reply.header('retry-after', Math.ceil(waitMs / 1000))
    throw new RequestError(429, 'too-many-logins', 'too many logins from this address')
  })
}
