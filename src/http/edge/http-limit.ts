import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import type { Authenticator } from '../../auth/authenticator.ts'
import { bearerToken } from '../../auth/bearer-token.ts'
import { RequestError } from '../../errors.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { CallerKeys } from './caller-keys.ts'
import { HEALTH_PATHS } from './exempt.ts'

export interface HttpLimitOptions {
  readonly requestsPerMinute: number
  /** Upgrades have limits of their own. */
  readonly endpoints: readonly string[]
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly metrics: Pick<Metrics, 'requestsRefused'>
}

const MINUTE_MS = 60_000

/**
 * Bounds the requests of each caller: a user where the token is good, else an address. What is not found
 * counts too. 5,000 callers are remembered; beyond it the one that was not heard of for longest is forgotten.
 */
export async function registerHttpLimit(server: FastifyInstance, options: HttpLimitOptions): Promise<void> {
  const { requestsPerMinute, endpoints, authenticator, metrics } = options
  const exempt = new Set([...HEALTH_PATHS, ...endpoints])
  const callers = new CallerKeys({ authenticator, maxWorthless: requestsPerMinute })
  await server.register(rateLimit, { global: false })
  const count = server.createRateLimit({
    max: requestsPerMinute,
    timeWindow: MINUTE_MS,
    keyGenerator: async ({ headers, query, ip }) =>
      callers.of(bearerToken(headers.authorization) ?? queryToken(query), ip),
  })
  server.addHook('onRequest', async (request, reply) => {
    if (exempt.has(request.routeOptions.url ?? '')) return
    const counted = await count(request)
    if (counted.isAllowed || !counted.isExceeded) return
    metrics.requestsRefused.inc({ reason: 'rate' })
    void reply.header('retry-after', Math.max(1, counted.ttlInSeconds))
    throw new RequestError(429, 'too-many-requests', `more than ${requestsPerMinute} requests a minute`)
  })
}

function queryToken(query: unknown): string | undefined {
  if (typeof query !== 'object' || query === null) return undefined
  const token: unknown = Reflect.get(query, 'access_token') ?? Reflect.get(query, 'token')
  return typeof token === 'string' ? token : undefined
}
