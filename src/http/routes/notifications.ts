import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import {
  NOTIFICATION,
  NOTIFICATION_ACCEPTED,
  NOTIFICATION_ITEM,
  NOTIFICATION_PATCH,
  NOTIFICATION_POST,
  UNREAD_COUNT,
} from '../../../protocol/payload/notification.ts'
import { notificationItem, OwnNotifications } from '../../app/notifications/own-notifications.ts'
import { sendNotification } from '../../app/notifications/send-notification.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { Store } from '../../store/store.ts'
import type { StreamAppender } from '../../stream/append.ts'
import type { PresenceReader } from '../../user/presence-reader.ts'
import { API, registerEndpoint } from '../endpoint.ts'
import { listPage, PAGE_QUERY, pageLimit, pageOf } from '../page.ts'
import { registerNotificationPreferences } from './notification-preferences.ts'
import { registerNotificationStatus } from './notification-status.ts'

export interface NotificationRouteParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly store: Pick<Store, 'notifications'>
  readonly appender: StreamAppender
  readonly users: { readonly presence: Pick<PresenceReader, 'present' | 'countPresent'> }
}

const PATH = `${API}/notifications`
const TAG = 'notifications'

/** Ids are the server's: what looks otherwise names nothing, and is never asked for. */
const ID = Type.String({
  pattern: '^[0-9a-f-]{36}$',
  description: 'Of a notification',
  examples: ['0197c1a2-5d0b-7cc3-98f1-0c4f6a1b2d3e'],
})
const ONE = Type.Object({ id: ID })

const LIST_QUERY = Type.Object({
  ...PAGE_QUERY,
  cursor: Type.Optional(ID),
  unread: Type.Optional(
    Type.Boolean({ description: 'Only those that are unread, or read', examples: [true] }),
  ),
  archived: Type.Optional(
    Type.Boolean({
      description: 'Only those that are archived; without it only those that are not',
      examples: [false],
    }),
  ),
  type: Type.Optional(NOTIFICATION.properties.type),
})

/** What users are told, and what they do with it. */
export function registerNotifications(server: FastifyInstance, parts: NotificationRouteParts): void {
  const own = new OwnNotifications(parts.appender)
  registerSending(server, parts)
  registerReading(server, parts)
  registerChanging(server, parts, own)
  registerRemoving(server, parts, own)
  registerNotificationPreferences(server, { ...parts, own })
  registerNotificationStatus(server, { authenticator: parts.authenticator, presence: parts.users.presence })
}

function registerSending(
  server: FastifyInstance,
  { authenticator, appender }: Pick<NotificationRouteParts, 'authenticator' | 'appender'>,
): void {
  registerEndpoint(server, authenticator, {
    method: 'POST',
    path: `${PATH}/send`,
    tag: TAG,
    summary: 'Tells one user something',
    roles: ['service', 'admin'],
    body: NOTIFICATION_POST,
    answers: { 202: { description: 'Stored, and will be relayed', schema: NOTIFICATION_ACCEPTED } },
    handle: ({ caller, body }) => sendNotification(appender, caller.name, body),
  })
}

function registerReading(
  server: FastifyInstance,
  { authenticator, store }: Pick<NotificationRouteParts, 'authenticator' | 'store'>,
): void {
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: PATH,
    tag: TAG,
    summary: 'Own notifications, newest first',
    query: LIST_QUERY,
    answers: { 200: { description: 'A page', schema: pageOf(NOTIFICATION_ITEM) } },
    handle: async ({ caller, query }) => {
      const { cursor, unread, archived = false, type, ...size } = query
      const { shown, asked } = pageLimit(size)
      const rows = await store.notifications.list(caller.name, {
        limit: asked,
        isArchived: archived,
        ...(cursor !== undefined && { before: cursor }),
        ...(unread !== undefined && { isRead: !unread }),
        ...(type !== undefined && { type }),
      })
      return listPage(rows, shown, { itemOf: notificationItem, cursorOf: ({ id }) => id })
    },
  })
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${PATH}/unread-count`,
    tag: TAG,
    summary: 'How many of the own notifications wait to be read',
    answers: { 200: { description: 'The number', schema: UNREAD_COUNT } },
    handle: async ({ caller: { name } }) => ({
      count: await store.notifications.count(name, { isRead: false, isArchived: false }),
    }),
  })
}

function registerChanging(
  server: FastifyInstance,
  { authenticator }: Pick<NotificationRouteParts, 'authenticator'>,
  own: OwnNotifications,
): void {
  registerEndpoint(server, authenticator, {
    method: 'PATCH',
    path: `${PATH}/:id`,
    tag: TAG,
    summary: 'Marks a notification as read or archived, or takes that back',
    params: ONE,
    body: NOTIFICATION_PATCH,
    answers: { 200: { description: 'As it is now', schema: NOTIFICATION_ITEM } },
    problems: [404],
    handle: async ({ caller, params, body }) =>
      notificationItem(await own.change(caller.name, params.id, body)),
  })
  registerEndpoint(server, authenticator, {
    method: 'POST',
    path: `${PATH}/read-all`,
    tag: TAG,
    summary: 'Marks all notifications as read, archived ones too',
    answers: { 204: { description: 'They are read' } },
    handle: ({ caller }) => own.readAll(caller.name),
  })
}

function registerRemoving(
  server: FastifyInstance,
  { authenticator }: Pick<NotificationRouteParts, 'authenticator'>,
  own: OwnNotifications,
): void {
  registerEndpoint(server, authenticator, {
    method: 'DELETE',
    path: `${PATH}/:id`,
    tag: TAG,
    summary: 'Deletes a notification',
    params: ONE,
    answers: { 204: { description: 'It is gone' } },
    problems: [404],
    handle: ({ caller, params }) => own.remove(caller.name, params.id),
  })
  registerEndpoint(server, authenticator, {
    method: 'DELETE',
    path: PATH,
    tag: TAG,
    summary: 'Deletes all notifications, archived ones too',
    answers: { 204: { description: 'They are gone' } },
    handle: ({ caller }) => own.removeAll(caller.name),
  })
}
