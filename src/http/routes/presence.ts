import type { FastifyInstance } from 'fastify'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { RoomSight } from '../../auth/room-sight.ts'
import type { Users } from '../../user/users.ts'
import { registerNodes } from './nodes.ts'
import { registerParticipants } from './participants.ts'
import { registerSessions } from './sessions.ts'

/** Who is connected, where, and to which node. */
export function registerPresenceRoutes(
  server: FastifyInstance,
  parts: {
    readonly authenticator: Pick<Authenticator, 'authenticate'>
    readonly users: Pick<Users, 'presence' | 'closing'>
    readonly sight: RoomSight
  },
): void {
  const { authenticator, users, sight } = parts
  const { presence, closing } = users
  registerSessions(server, { authenticator, presence, closing })
  registerNodes(server, { authenticator, presence })
  registerParticipants(server, { authenticator, presence, sight })
}
