import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RequestError } from '../errors.ts'
import { isOriginAllowed } from '../lib/origin.ts'

/** How long browsers may remember the answer to a preflight, seconds. */
const PREFLIGHT_SECONDS = 600

/** Request headers of ours that pages of other origins may set. */
const REQUEST_HEADERS = { GET: 'authorization, last-event-id', POST: 'authorization, content-type' } as const

/**
 * Lets pages of the allowed origins read answers of a route (Fetch standard, "CORS protocol"), refusals
 * included. There are no cookies, so credentials in the sense of that standard are not allowed.
 */
export class Cors {
  readonly #allowedOrigins: readonly string[]

  constructor(allowedOrigins: readonly string[]) {
    this.#allowedOrigins = allowedOrigins
  }

  /** An `onRequest` hook for the route itself, so that its errors can be read too. */
  readonly onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    this.#answer(request, reply)
  }

  /** Answers the preflights of the paths, whose one method is named. */
  registerPreflight(server: FastifyInstance, paths: readonly string[], method: 'GET' | 'POST' = 'GET'): void {
    for (const path of paths) {
      server.options(path, async (request, reply) => {
        if (!this.#answer(request, reply)) {
          throw new RequestError(403, 'origin-not-allowed', 'pages of this origin may not connect')
        }
        return reply
          .code(204)
          .header('access-control-allow-methods', method)
          .header('access-control-allow-headers', REQUEST_HEADERS[method])
          .header('access-control-max-age', PREFLIGHT_SECONDS)
          .send()
      })
    }
  }

  /** @returns whether the origin is allowed */
  #answer(request: FastifyRequest, reply: FastifyReply): boolean {
    // Caches must not give one origin's answer to another.
    void reply.header('vary', 'Origin')
    const { origin, host } = request.headers
    const isAllowed = isOriginAllowed(origin, { allowed: this.#allowedOrigins, host })
    if (isAllowed && origin !== undefined) void reply.header('access-control-allow-origin', origin)
    return isAllowed
  }
}
