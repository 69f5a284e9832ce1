import type { FastifyInstance } from 'fastify'
import { BROADCAST_ACCEPTED, BROADCAST_POST } from '../../../protocol/payload/broadcast.ts'
import { broadcast } from '../../app/broadcasts.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { StreamAppender } from '../../stream/append.ts'
import { API, registerEndpoint } from '../endpoint.ts'

/** POST `/api/v1/admin/broadcasts` and its alias: 202 `{id, eventId}` once the announcement is durable. */
export function registerBroadcasts(
  server: FastifyInstance,
  parts: { authenticator: Pick<Authenticator, 'authenticate'>; appender: StreamAppender },
): void {
  registerEndpoint(server, parts.authenticator, {
    method: 'POST',
    path: `${API}/admin/broadcasts`,
    aliases: [`${API}/notifications/broadcast`],
    tag: 'administration',
    summary: 'Tells everybody something',
    roles: ['admin'],
    body: BROADCAST_POST,
    answers: { 202: { description: 'Stored, and will be relayed', schema: BROADCAST_ACCEPTED } },
    handle: ({ caller, body }) => broadcast(parts.appender, caller.name, body),
  })
}
