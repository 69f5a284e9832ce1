import type { FastifyInstance, FastifyReply } from 'fastify'
import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { USER_NAME } from '../../../protocol/payload/fields.ts'
import { isPrincipalName } from '../../auth/principal.ts'
import { MessageError, RequestError } from '../../errors.ts'
import { requireCaller, type Exchange } from '../caller.ts'
import type { Cors } from '../cors.ts'
import { schemaOf } from '../description/described.ts'
import { EventStream } from '../feed/event-stream.ts'
import { requireFeed, type FeedGuards } from '../feed/feed-guard.ts'
import type { FeedClients } from '../feed/feed-clients.ts'
import { parseQuery } from '../query.ts'

export interface FeedRouteParts extends FeedGuards {
  readonly clients: FeedClients
  readonly cors: Cors
}

/** How an id, or a token, may come: browsers cannot set headers on an event stream. */
const STREAM_QUERY = Type.Object({
  lastEventId: Type.Optional(Type.String()),
  access_token: Type.Optional(Type.String()),
  token: Type.Optional(Type.String()),
})

const validator = Compile(STREAM_QUERY)

const PATH = '/api/v1/notifications/stream'

const described = {
  tag: 'notifications',
  query: STREAM_QUERY,
  answers: {
    200: {
      description:
        'Events `connected`, `notification`, `broadcast`, `order`, `operation`, `token-expired`; a comment every 15 s',
      schema: Type.String({ examples: ['event: connected\ndata: {"user":"alice","recovered":true}\n\n'] }),
      contentType: 'text/event-stream',
    },
  },
} as const

const OWN_SCHEMA = schemaOf({ ...described, summary: 'The feed of the caller, as server-sent events' })

const SCHEMA = schemaOf({
  ...described,
  summary: 'The feed of a user, for that user and administrators',
  params: Type.Object({ userId: USER_NAME }),
  problems: [403],
})

const TRANSIENT: ReadonlySet<string> = new Set([
  'shutting-down',
  'store-unavailable',
  'broker-unavailable',
  'too-many-pending',
])

/** When a browser that cannot be served now comes back, milliseconds. */
const LATER_MS = 5000

/**
 * GET `/api/v1/notifications/stream` and `…/stream/{userId}`: the feed of a user as server-sent events,
 * whatever `Accept` says (CONTRACT, section 7).
 */
export function registerNotificationStream(server: FastifyInstance, parts: FeedRouteParts): void {
  const paths = [PATH, `${PATH}/:userId`]
  parts.cors.registerPreflight(server, paths)
  for (const path of paths) {
    server.get<{ Params: { userId?: string } }>(
      path,
      // A HEAD would hold a stream open that nobody reads.
      {
        exposeHeadRoute: false,
        onRequest: parts.cors.onRequest,
        schema: path === PATH ? OWN_SCHEMA : SCHEMA,
      },
      async (request, reply) => {
        const query = parseQuery(validator, request.query)
        const { userId } = request.params
        if (userId !== undefined && !isPrincipalName(userId)) {
          throw new RequestError(404, 'not-found', 'there is nothing here')
        }
        await stream(parts, { request, reply }, { query, userId })
      },
    )
  }
}

async function stream(
  { clients, ...guards }: FeedRouteParts,
  exchange: Exchange,
  { query, userId }: { query: Static<typeof STREAM_QUERY>; userId: string | undefined },
): Promise<void> {
  const { request, reply } = exchange
  const urlToken = query.access_token ?? query.token
  const principal = await requireCaller(guards.authenticator, exchange, urlToken)
  const user = userId ?? principal.name
  await requireFeed(guards, { principal, address: request.ip }, user)
  // The header is what a browser has seen last; the URL is what it began with.
  const lastEventId = textOf(request.headers['last-event-id']) ?? textOf(query.lastEventId)
  try {
    clients.admit(reply)
    const events = new EventStream({ services: clients.services, reply, principal, user, lastEventId })
    clients.hold(events, reply)
    await events.open()
    if (!reply.sent && !reply.raw.destroyed) {
      throw new RequestError(503, 'shutting-down', 'the stream ended before it began')
    }
    reply.hijack()
  } catch (error) {
    if (!isTransient(error) || !isEventSource(request.headers.accept)) throw error
    laterPlease(reply)
  }
}

/** A browser never comes back after a refusal, so that it is given a stream that ends at once. */
function laterPlease(reply: FastifyReply): void {
  void reply
    .header('cache-control', 'no-cache, no-transform')
    .header('connection', 'close')
    .type('text/event-stream; charset=utf-8')
    .send(`retry: ${LATER_MS}\n\n`)
}

/** What is over soon, here or at another node, and is no matter of limits. */
function isTransient(error: unknown): boolean {
  const isOurs = error instanceof RequestError || error instanceof MessageError
  return isOurs && TRANSIENT.has(error.code)
}

function isEventSource(accept: string | undefined): boolean {
  return accept?.includes('text/event-stream') === true
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  const text = typeof value === 'object' ? value.join() : value
  return text === '' ? undefined : text
}
