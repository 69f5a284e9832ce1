import type { FastifyInstance } from 'fastify'
import { Compile } from 'typebox/compile'
import type { Static } from 'typebox'
import { BROADCAST_POST } from '../../../protocol/payload/broadcast.ts'
import { broadcast } from '../../app/broadcasts.ts'
import { checkPayload } from '../../app/payload.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { StreamAppender } from '../../stream/append.ts'
import { requireRole } from '../caller.ts'

const validator = Compile(BROADCAST_POST)

/** POST `/api/v1/admin/broadcasts` and its alias: 202 `{id, eventId}` once the announcement is durable. */
export function registerBroadcasts(
  server: FastifyInstance,
  parts: { authenticator: Pick<Authenticator, 'authenticate'>; appender: StreamAppender },
): void {
  for (const path of ['/api/v1/admin/broadcasts', '/api/v1/notifications/broadcast']) {
    server.post(path, async (request, reply) => {
      const { name } = await requireRole(parts.authenticator, { request, reply }, ['admin'])
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checkPayload has checked it
      const post = checkPayload(validator, BROADCAST_POST, request.body) as Static<typeof BROADCAST_POST>
      return reply.code(202).send(await broadcast(parts.appender, name, post))
    })
  }
}
