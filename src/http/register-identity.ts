import type { FastifyInstance } from 'fastify'
import type { Identity } from '../auth/identity.ts'
import type { Store } from '../store/store.ts'
import { mirrorCounts, type Metrics } from '../telemetry/metrics.ts'
import { Cors } from './cors.ts'
import { auditRequests } from './audited-requests.ts'
import { registerAudit } from './routes/audit.ts'
import { refuseLogins, registerLogins } from './routes/logins.ts'

/** Logins, and what is written down of them and of other requests. */
export function registerIdentity(
  server: FastifyInstance,
  parts: {
    readonly identity: Identity
    readonly store: Store
    readonly metrics: Metrics
    /** Origins besides its own whose pages may log in. */
    readonly allowedOrigins: readonly string[]
  },
): void {
  const { identity, store, metrics, allowedOrigins } = parts
  const { authenticator, audit, logins } = identity
  auditRequests(server, audit)
  registerAudit(server, { authenticator, store })
  if (logins === undefined) refuseLogins(server)
  else registerLogins(server, { authenticator, logins, cors: new Cors(allowedOrigins) })
  mirrorCounts(metrics, 'audit', 'what became of audit events on this node', audit.counters)
}
