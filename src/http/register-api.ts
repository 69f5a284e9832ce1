import type { FastifyInstance } from 'fastify'
import type { Operations } from '../app/operations/operations.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import type { RoomSight } from '../auth/room-sight.ts'
import type { Broker } from '../broker/broker.ts'
import type { Store } from '../store/store.ts'
import type { StreamAppender } from '../stream/append.ts'
import type { Log } from '../telemetry/log.ts'
import type { Users } from '../user/users.ts'
import { registerBroadcasts } from './routes/broadcasts.ts'
import { registerConversations } from './routes/conversations.ts'
import { registerNotifications } from './routes/notifications.ts'
import { registerDeadLetters } from './routes/dead-letters.ts'
import { registerOrders } from './routes/orders.ts'
import { registerOperations } from './routes/operations.ts'
import { registerOverview } from './routes/overview.ts'
import { registerUsers } from './routes/users.ts'
import { registerPresenceRoutes } from './routes/presence.ts'
import { registerRoomRoutes } from './routes/rooms.ts'

/** What the areas of the API are made with; each takes what it needs. */
export interface ApiParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly store: Store
  readonly appender: StreamAppender
  readonly users: Users
  readonly broker: Broker
  readonly log: Log
  readonly sight: RoomSight
  readonly operations: Operations
}

/** Everything under `/api/v1` but logins and the feeds: a line for each area. */
export function registerApi(server: FastifyInstance, parts: ApiParts): void {
  registerBroadcasts(server, parts)
  registerConversations(server, parts)
  registerUsers(server, parts)
  registerNotifications(server, parts)
  registerPresenceRoutes(server, parts)
  registerOverview(server, { ...parts, presence: parts.users.presence })
  registerOrders(server, parts)
  registerDeadLetters(server, parts)
  registerRoomRoutes(server, parts)
  registerOperations(server, parts)
}
