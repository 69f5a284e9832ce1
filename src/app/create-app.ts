import type { Store } from '../store/store.ts'
import type { StreamAppender } from '../stream/append.ts'
import type { Users } from '../user/users.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import { App } from './app.ts'
import { registerPrivateMessages } from './chat/private-messages.ts'
import { registerPublicMessages } from './chat/public-messages.ts'
import { registerRoomMessages } from './chat/room-messages.ts'
import { registerPresence } from './presence.ts'
import { registerSessionToken } from './session-token.ts'

export interface AppParts {
  readonly appender: StreamAppender
  readonly store: Store
  readonly users: Pick<Users, 'presence' | 'registry'>
  readonly authenticator: Pick<Authenticator, 'authenticate'>
}

/** Everything that answers under `/app`. */
export function createApp({ appender, store, users, authenticator }: AppParts): App {
  const app = new App()
  registerPublicMessages(app, appender)
  registerPrivateMessages(app, appender)
  registerRoomMessages(app, { appender, store })
  registerPresence(app, users.presence)
  registerSessionToken(app, { authenticator, registry: users.registry })
  return app
}
