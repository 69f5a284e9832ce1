import type { FastifyInstance } from 'fastify'
import { NOTIFICATION_PREFERENCES } from '../../../protocol/payload/notification.ts'
import type { OwnNotifications } from '../../app/notifications/own-notifications.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { Store } from '../../store/store.ts'
import { API, registerEndpoint } from '../endpoint.ts'

const PATH = `${API}/notifications/preferences`
const ANSWERS = { 200: { description: 'As they are now', schema: NOTIFICATION_PREFERENCES } }

/** GET and PUT `/api/v1/notifications/preferences`: which types the caller has muted. */
export function registerNotificationPreferences(
  server: FastifyInstance,
  parts: {
    readonly authenticator: Pick<Authenticator, 'authenticate'>
    readonly store: Pick<Store, 'notifications'>
    readonly own: OwnNotifications
  },
): void {
  const { authenticator, store, own } = parts
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: PATH,
    tag: 'notifications',
    summary: 'Which types of notifications one has muted',
    answers: ANSWERS,
    handle: async ({ caller }) => ({ muted: await store.notifications.muted(caller.name) }),
  })
  registerEndpoint(server, authenticator, {
    method: 'PUT',
    path: PATH,
    tag: 'notifications',
    summary: 'Mutes these types of notifications and no others',
    body: NOTIFICATION_PREFERENCES,
    answers: ANSWERS,
    handle: async ({ caller, body }) => ({ muted: await own.mute(caller.name, body.muted) }),
  })
}
