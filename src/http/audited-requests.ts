import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Audit } from '../auth/audit.ts'
import { callerOf } from './caller.ts'

/** Where only administrators change anything. */
const ADMINISTRATIVE: readonly string[] = [
  '/api/v1/admin/',
  '/api/v1/sessions',
  '/api/v1/orders',
  '/api/v1/notifications/broadcast',
]

/**
 * Writes down what administrators changed, which requests were refused for want of rights, and which because there
 * were too many.
 */
export function auditRequests(server: FastifyInstance, audit: Pick<Audit, 'record'>): void {
  server.addHook('onResponse', async (request, reply) => {
    const kind = kindOf(request, reply.statusCode)
    if (kind === undefined) return
    const user = callerOf(request)?.name
    const about = `${request.method} ${pathOf(request, kind)}`
    audit.record({ kind, address: request.ip, about, ...(user !== undefined && { user }) })
  })
}

type Kind = 'admin-action' | 'request-refused' | 'locked-out'

function kindOf(request: FastifyRequest, status: number): Kind | undefined {
  if (status === 429) return 'locked-out'
  if (status === 403) return 'request-refused'
  // Without a token there was nothing to refuse; logins that fail are written down as such.
  if (status === 401) return hasToken(request) && !isAboutLogins(request) ? 'request-refused' : undefined
  return status < 300 && isByAdmin(request) ? 'admin-action' : undefined
}

function isByAdmin({ method, routeOptions: { url = '' } }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD') return false
  return ADMINISTRATIVE.some((path) => url.startsWith(path))
}

function isAboutLogins({ routeOptions: { url = '' } }: FastifyRequest): boolean {
  return url.startsWith('/api/v1/auth/')
}

function hasToken({ headers, url }: FastifyRequest): boolean {
  return headers.authorization !== undefined || /[?&](access_)?token=/.test(url)
}

/** What an administrator did was found, so its path names something; any other may hold anything. */
function pathOf({ url, routeOptions }: FastifyRequest, kind: Kind): string {
  return kind === 'admin-action' ? url.replace(/\?.*/s, '') : (routeOptions.url ?? '')
}
