import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'

/**
 * Pages of ours take everything from here and nothing from elsewhere, and hold no inline script or style.
 * `connect-src 'self'` covers WebSockets of the same host (CSP level 3).
 */
const DIRECTIVES = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'"],
  'font-src': ["'self'"],
  'connect-src': ["'self'"],
  'manifest-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
}

/** Half a year, seconds. */
const HSTS_SECONDS = 15_552_000

/** What answers bear for which no hook of the server runs, since there is no request that it understands. */
export const BARE_SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const

/**
 * Headers that tell browsers what not to do with our answers, on every answer.
 *
 * @param isTls whether this server itself speaks TLS: only then may browsers be told to insist on it
 */
export async function registerSecurityHeaders(server: FastifyInstance, isTls: boolean): Promise<void> {
  await server.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: DIRECTIVES },
    frameguard: { action: 'deny' },
    hsts: isTls && { maxAge: HSTS_SECONDS, includeSubDomains: false },
  })
}
