import type { FastifyInstance } from 'fastify'
import { RequestError } from '../../errors.ts'
import { addressKey } from '../../lib/address-key.ts'
import { isOriginAllowed } from '../../lib/origin.ts'
import type { Attempts } from '../../lib/attempts.ts'
import type { Metrics } from '../../telemetry/metrics.ts'

/**
 * Where somebody may guess: each request counts as a login, whatever its method. Refresh tokens are signed, and
 * nobody guesses them.
 */
export const LOGIN_PATHS: ReadonlySet<string> = new Set(['/api/v1/auth/login', '/api/v1/auth/register'])

export interface LoginLimitOptions {
  readonly logins: Attempts
  /** Origins besides its own whose pages may ask. */
  readonly allowedOrigins: readonly string[]
  readonly metrics: Pick<Metrics, 'requestsRefused'>
}

/**
 * Bounds the logins of each address, together with the wrong passcodes that it sent in CONNECT. Refuses
 * before the body is read and before any password is hashed. A page of another site, which could use its visitors'
 * logins up, is refused uncounted.
 */
export function registerLoginLimit(
  server: FastifyInstance,
  { logins, allowedOrigins, metrics }: LoginLimitOptions,
): void {
  server.addHook('onRequest', async (request, reply) => {
    if (!LOGIN_PATHS.has(request.routeOptions.url ?? '') || request.method === 'OPTIONS') return
    const { origin, host } = request.headers
    if (!isOriginAllowed(origin, { allowed: allowedOrigins, host })) {
      throw new RequestError(403, 'origin-not-allowed', 'pages of this origin may not log in')
    }
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
