import type { FastifyInstance } from 'fastify'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { Config } from '../../config/config.ts'
import type { Attempts } from '../../lib/attempts.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { registerHttpLimit } from './http-limit.ts'
import { registerLoginLimit } from './login-limit.ts'
import { registerOverload } from './overload.ts'
import { registerSecurityHeaders } from './security-headers.ts'

export interface EdgeOptions {
  readonly config: Config
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  /** Shared with CONNECT, so that guessing costs the same over every door. */
  readonly logins: Attempts
  readonly metrics: Metrics
  readonly log: Log
}

/** What every request passes before its route is asked: cheapest refusals first, headers before all. */
export async function registerEdge(server: FastifyInstance, options: EdgeOptions): Promise<void> {
  const { config, authenticator, logins, metrics, log } = options
  await registerSecurityHeaders(server, config.tlsCertFile !== undefined)
  await registerOverload(server, { maxLagMs: config.limitLoopLagMs, metrics, log })
  registerLoginLimit(server, { logins, allowedOrigins: config.allowedOrigins, metrics })
  await registerHttpLimit(server, {
    requestsPerMinute: config.limitHttpPerMinute,
    endpoints: config.endpoints,
    authenticator,
    metrics,
  })
}
