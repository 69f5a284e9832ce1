import { randomUUID } from 'node:crypto'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { RequestError } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import { answerClientError } from './client-error.ts'
import { problemOf, PROBLEM_TYPE } from './problem.ts'
import { SilentConnections } from './silent-connections.ts'

/** Bytes of a request body; the largest payload of the API is far below. */
const BODY_LIMIT = 262_144
/** A request line and headers must have come by then, or the socket is closed: milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000

/** The HTTP server, without routes. Every error leaves it as problem details. */
export function createServer(log: Log): FastifyInstance {
  const server = fastify({
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Requests under way are answered; the request time-out bounds them.
    forceCloseConnections: 'idle',
    // URLs may hold tokens: requests are never logged as they came.
    logger: false,
    return503OnClosing: true,
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, problemOf(error, '')),
    clientErrorHandler: answerClientError,
  })
  server.server.headersTimeout = HEADERS_TIMEOUT_MS
  const silent = new SilentConnections(server.server)
  server.addHook('preClose', async () => silent.close())
  server.setErrorHandler((error, request, reply) => {
    const errorId = randomUUID()
    const problem = problemOf(error, errorId)
    // Ours are answers that somebody decided on; to log each would let a crowd fill the log.
    if (problem.status >= 500 && !(error instanceof RequestError)) {
      const route = `${request.method} ${request.routeOptions.url ?? ''}`
      log.error({ event: 'request-failed', errorId, route, err: error }, 'request failed')
    }
    return sendProblem(reply, problem)
  })
  server.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, problemOf(new RequestError(404, 'not-found', 'there is nothing here'), '')),
  )
  return server
}

function sendProblem(reply: FastifyReply, problem: ReturnType<typeof problemOf>): FastifyReply {
  return reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem))
}
