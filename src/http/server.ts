import { randomUUID } from 'node:crypto'
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { RequestError } from '../errors.ts'
import type { TlsPair } from '../config/tls-files.ts'
import type { Log } from '../telemetry/log.ts'
import { ClientConnections } from './client-connections.ts'
import { answerClientError } from './client-error.ts'
import { BARE_SECURITY_HEADERS } from './edge/security-headers.ts'
import { problemOf, PROBLEM_TYPE } from './problem.ts'

/** Bytes of a request body; the largest payload of the API is far below. */
const BODY_LIMIT = 262_144
/** A request line and headers must have come by then, or the socket is closed: milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
/** Node looks for what is late every 30 s unless told otherwise: milliseconds. */
const TIMEOUT_CHECK_MS = 1000
/** Where nobody said better: limits count by the minute. */
const RETRY_AFTER_SECONDS = 60
/** Between two requests of a connection, milliseconds. */
const KEEP_ALIVE_MS = 72_000

export interface ServerOptions {
  /** Addresses and networks whose `X-Forwarded-For` is believed. Default none. */
  readonly trustProxy?: readonly string[]
  /** Certificate and key; without them the server speaks plain text. */
  readonly tls?: TlsPair
  /** Connections of one address on which nothing was asked yet. Default no bound. */
  readonly maxSilentPerAddress?: number
  /** Connections of one address that are no WebSockets, from the first byte to the close. Default no bound. */
  readonly maxConnectionsPerAddress?: number
  /** Connections of all kinds; Node cuts those beyond it. Default no bound. */
  readonly maxConnections?: number
  /** Called for each connection that is cut for a bound. Must not throw. */
  readonly onCut?: (reason: 'silent' | 'address' | 'all') => void
  /** Until the headers of a request are whole, milliseconds, a TLS handshake likewise. Default 10,000. */
  readonly headersTimeoutMs?: number
  /** Until a request is whole, milliseconds. Default 30,000. */
  readonly requestTimeoutMs?: number
}

/** The HTTP server, without routes. Every error leaves it as problem details. */
export function createServer(log: Log, options: ServerOptions = {}): FastifyInstance {
  const { trustProxy = [] } = options
  const clients = new ClientConnections({
    trusted: trustProxy,
    maxPerAddress: options.maxSilentPerAddress,
    maxHeldPerAddress: options.maxConnectionsPerAddress,
    onCut: options.onCut,
  })
  const server = fastify({
    bodyLimit: BODY_LIMIT,
    // Requests under way are answered; the request time-out bounds them.
    forceCloseConnections: 'idle',
    // URLs may hold tokens: requests are never logged as they came.
    logger: false,
    return503OnClosing: true,
    trustProxy: trustProxy.length > 0 && [...trustProxy],
    serverFactory: (handler) => {
      const made = makeServer(handler, options)
      clients.watch(made)
      if (options.maxConnections !== undefined) made.maxConnections = options.maxConnections
      made.on('drop', () => options.onCut?.('all'))
      return made
    },
    frameworkErrors: (error, _request, reply) =>
      void sendProblem(reply.headers(BARE_SECURITY_HEADERS), problemOf(error, '')),
    clientErrorHandler: answerClientError,
  })
  // Schemas of routes describe them; what checks requests asks first who sent them.
  server.setValidatorCompiler(() => () => true)
  server.setSerializerCompiler(() => (data) => JSON.stringify(data))
  server.addHook('onRequest', async ({ raw }) => clients.asked(raw.socket))
  server.addHook('preClose', async () => clients.close())
  server.setErrorHandler((error, request, reply) => {
    const errorId = randomUUID()
    const problem = problemOf(error, errorId)
    // Ours are answers that somebody decided on; to log each would let a crowd fill the log.
    if (problem.status >= 500 && !(error instanceof RequestError)) {
      const route = `${request.method} ${request.routeOptions.url ?? ''}`
      log.error({ event: 'request-failed', errorId, route, err: error }, 'request failed')
    }
    if (problem.status === 429 && !reply.hasHeader('retry-after')) {
      void reply.header('retry-after', RETRY_AFTER_SECONDS)
    }
    return sendProblem(reply, problem)
  })
  server.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, problemOf(new RequestError(404, 'not-found', 'there is nothing here'), '')),
  )
  return server
}

function makeServer(handler: RequestListener, options: ServerOptions): Server {
  const { tls, headersTimeoutMs = HEADERS_TIMEOUT_MS, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options
  const timeouts = {
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, headersTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
  }
  if (tls === undefined) return createHttpServer(timeouts, handler)
  const handshake = { minVersion: 'TLSv1.2', handshakeTimeout: headersTimeoutMs } as const
  return createHttpsServer({ ...timeouts, ...handshake, ...tls }, handler)
}

function sendProblem(reply: FastifyReply, problem: ReturnType<typeof problemOf>): FastifyReply {
  return reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem))
}
