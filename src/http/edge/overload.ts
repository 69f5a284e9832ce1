import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import { RequestError } from '../../errors.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { HEALTH_PATHS } from './exempt.ts'

export interface OverloadOptions {
  /** Mean delay of the event loop over a second, milliseconds; 0 is no bound. */
  readonly maxLagMs: number
  readonly metrics: Pick<Metrics, 'requestsRefused'>
  readonly log: Log
  /** How often the delay is looked at, milliseconds. Default 1,000. */
  readonly sampleMs?: number
}

const RETRY_AFTER_SECONDS = 5
/** A line that often, however many are refused. */
const LOG_EVERY_MS = 10_000

/**
 * Refuses requests and upgrades while the event loop is late, so that those who are connected are served.
 * Health and metrics are answered all the same.
 */
export async function registerOverload(server: FastifyInstance, options: OverloadOptions): Promise<void> {
  const { maxLagMs, metrics, log, sampleMs = 1000 } = options
  if (maxLagMs === 0) return
  let loggedAtMs = -Infinity
  await server.register(underPressure, {
    maxEventLoopDelay: maxLagMs,
    sampleInterval: sampleMs,
    pressureHandler: async (request, reply, _type, lagMs) => {
      if (HEALTH_PATHS.has(request.routeOptions.url ?? '')) return
      metrics.requestsRefused.inc({ reason: 'overload' })
      if (performance.now() - loggedAtMs > LOG_EVERY_MS) {
        loggedAtMs = performance.now()
        log.warn({ event: 'overload', lagMs, maxLagMs }, 'the event loop lags: requests are refused')
      }
      void reply.header('retry-after', RETRY_AFTER_SECONDS)
      throw new RequestError(503, 'overloaded', 'this node is too busy now')
    },
  })
}
