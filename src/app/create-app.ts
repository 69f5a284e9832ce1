import type { Store } from '../store/store.ts'
import type { StreamAppender } from '../stream/append.ts'
import type { Users } from '../user/users.ts'
import type { RoomSight } from '../auth/room-sight.ts'
import type { Broker } from '../broker/broker.ts'
import type { Log } from '../telemetry/log.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import { App } from './app.ts'
import { registerPrivateMessages } from './chat/private-messages.ts'
import { registerPublicMessages } from './chat/public-messages.ts'
import type { Operations } from './operations/operations.ts'
import { registerOperations } from './operations/register-operations.ts'
import { registerPresence } from './presence.ts'
import { registerRooms } from './rooms/register-rooms.ts'
import { registerSessionToken } from './session-token.ts'

export interface AppParts {
  readonly appender: StreamAppender
  readonly store: Store
  readonly users: Pick<Users, 'presence' | 'registry'>
  readonly sight: RoomSight
  readonly broker: Broker
  readonly log: Log
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly operations: Pick<Operations, 'start'>
}

/** Everything that answers under `/app`. */
export function createApp(parts: AppParts): App {
  const { appender, users, authenticator, sight, operations } = parts
  const app = new App()
  registerPublicMessages(app, appender)
  registerPrivateMessages(app, appender)
  registerRooms(app, parts)
  registerPresence(app, { presence: users.presence, sight })
  registerOperations(app, operations)
  registerSessionToken(app, { authenticator, registry: users.registry })
  return app
}
