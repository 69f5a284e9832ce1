import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { RequestError } from '../../errors.ts'
import { requireCaller } from '../caller.ts'
import { FEED_POLL } from '../../../protocol/payload/event-stream.ts'
import { schemaOf } from '../description/described.ts'
import { requireFeed } from '../feed/feed-guard.ts'
import { PollWait } from '../feed/poll-wait.ts'
import { parseQuery } from '../query.ts'
import type { FeedRouteParts } from './notification-stream.ts'

const MAX_WAIT_SECONDS = 60
const DEFAULT_WAIT_SECONDS = 25
const MAX_LIMIT = 100

const POLL_QUERY = Type.Object({
  after: Type.Optional(Type.String()),
  wait: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_WAIT_SECONDS })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LIMIT })),
  access_token: Type.Optional(Type.String()),
  token: Type.Optional(Type.String()),
})

const SCHEMA = schemaOf({
  tag: 'notifications',
  summary: 'The feed of the caller, by long polls',
  query: POLL_QUERY,
  answers: { 200: { description: 'What came, and where to go on', schema: FEED_POLL } },
})

const validator = Compile(POLL_QUERY)

const PATH = '/api/v1/notifications/poll'

/**
 * GET `/api/v1/notifications/poll?after=&wait=&limit=`: the caller's feed for those who cannot keep a
 * stream open. Answers at once where something came after `after`, or where there is no `after`;
 * otherwise with what comes first within `wait` seconds.
 */
export function registerNotificationPoll(server: FastifyInstance, parts: FeedRouteParts): void {
  const { clients, cors, ...guards } = parts
  cors.registerPreflight(server, [PATH])
  server.get(
    PATH,
    { exposeHeadRoute: false, onRequest: cors.onRequest, schema: SCHEMA },
    async (request, reply) => {
      const query = parseQuery(validator, request.query)
      const urlToken = query.access_token ?? query.token
      const principal = await requireCaller(guards.authenticator, { request, reply }, urlToken)
      await requireFeed(guards, { principal, address: request.ip }, principal.name)
      clients.admit(reply)
      const poll = new PollWait({
        services: clients.services,
        raw: reply.raw,
        remoteAddress: request.ip,
        principal,
        after: query.after === '' ? undefined : query.after,
        waitMs: (query.wait ?? DEFAULT_WAIT_SECONDS) * 1000,
        limit: query.limit ?? MAX_LIMIT,
      })
      clients.hold(poll, reply)
      const answer = await poll.answer()
      if (reply.raw.destroyed) {
        reply.hijack()
        return
      }
      if (answer === undefined) throw new RequestError(503, 'shutting-down', 'this node shuts down')
      void reply.header('cache-control', 'no-store').send(answer)
    },
  )
}
