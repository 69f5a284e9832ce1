import { Type, type Static } from 'typebox'
import { CLIENT_ID, EVENT_ID, STORED_ID, TIMESTAMP, USER_NAME } from './fields.ts'

/** `type` of an event that tells of a change, which no notification may have. */
const CHANGES = ['changed', 'deleted', 'all-read', 'all-deleted', 'preferences']

const KIND = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: `^(?!(?:${CHANGES.join('|')})$)`,
  description: 'What it is about; users may mute a type',
  examples: ['ORDER'],
})

const TITLE = Type.String({ minLength: 1, maxLength: 200, description: 'One line', examples: ['Order 1001'] })
const MESSAGE = Type.String({
  minLength: 1,
  maxLength: 8192,
  description: 'What there is to know',
  examples: ['Your order is ready'],
})
const DATA = Type.Record(Type.String(), Type.Unknown(), {
  description: 'For the client that shows it; 16,384 characters of JSON at most',
  examples: [{ orderId: '1001' }],
})
const READ = Type.Boolean({ description: 'Whether the user has read it', examples: [true] })
const ARCHIVED = Type.Boolean({
  description: 'Whether the user has put it away; then it counts no more as unread',
  examples: [false],
})
const AT = { ...TIMESTAMP, description: 'When it happened: RFC 3339, UTC' }

const NOTIFICATION_FIELDS = {
  id: STORED_ID,
  title: TITLE,
  message: MESSAGE,
  type: KIND,
  data: Type.Optional(DATA),
  createdAt: TIMESTAMP,
}

/** MESSAGE of `/user/queue/notifications`. */
export const NOTIFICATION = Type.Object(NOTIFICATION_FIELDS, {
  description: 'Something one user should know, stored and kept while they are offline',
})

export type Notification = Static<typeof NOTIFICATION>

/** POST `/api/v1/notifications/send`. */
export const NOTIFICATION_POST = Type.Object(
  {
    userId: { ...USER_NAME, description: 'Who should know' },
    title: TITLE,
    message: MESSAGE,
    type: Type.Optional({
      ...KIND,
      description: 'What it is about; users may mute a type. `INFO` where it is missing',
    }),
    data: Type.Optional(DATA),
    clientId: Type.Optional(CLIENT_ID),
  },
  { description: 'Something one user should know' },
)

export type NotificationPost = Static<typeof NOTIFICATION_POST>

/** Answer to POST `/api/v1/notifications/send`. */
export const NOTIFICATION_ACCEPTED = Type.Object(
  {
    id: STORED_ID,
    eventId: Type.Optional({ ...EVENT_ID, description: 'Of its event; missing where the user has muted it' }),
  },
  { description: 'A notification that is durable' },
)

export type NotificationAccepted = Static<typeof NOTIFICATION_ACCEPTED>

/** Item of GET `/api/v1/notifications`. */
export const NOTIFICATION_ITEM = Type.Object(
  {
    ...NOTIFICATION_FIELDS,
    read: READ,
    archived: ARCHIVED,
    readAt: Type.Optional({ ...TIMESTAMP, description: 'Since when it is read' }),
    archivedAt: Type.Optional({ ...TIMESTAMP, description: 'Since when it is put away' }),
  },
  { description: 'A notification, and what its user did with it' },
)

export type NotificationItem = Static<typeof NOTIFICATION_ITEM>

/** PATCH `/api/v1/notifications/{id}`. */
export const NOTIFICATION_PATCH = Type.Object(
  { read: Type.Optional(READ), archived: Type.Optional(ARCHIVED) },
  { description: 'What a user does with a notification; what is missing stays as it is, one must be there' },
)

export type NotificationPatch = Static<typeof NOTIFICATION_PATCH>

/** Answer to GET `/api/v1/notifications/unread-count`. */
export const UNREAD_COUNT = Type.Object(
  {
    count: Type.Integer({
      minimum: 0,
      description: 'Notifications that are neither read nor archived',
      examples: [3],
    }),
  },
  { description: 'How many notifications wait to be read' },
)

/** GET and PUT `/api/v1/notifications/preferences`. */
export const NOTIFICATION_PREFERENCES = Type.Object(
  {
    muted: Type.Array(KIND, {
      maxItems: 100,
      description:
        'Types of notifications that are stored as read and not delivered. It says nothing of those that came before',
      examples: [['ORDER']],
    }),
  },
  { description: 'What a user does not want to be told of' },
)

/** MESSAGE of `/user/queue/notifications`. */
export const NOTIFICATION_CHANGED = Type.Object(
  {
    type: Type.Literal('changed', { description: 'Tells it from a notification', examples: ['changed'] }),
    id: { ...STORED_ID, description: 'Of the notification' },
    read: Type.Optional(READ),
    archived: Type.Optional(ARCHIVED),
    at: AT,
  },
  { description: 'The user has read or archived a notification, or taken that back; what is missing stays' },
)

/** MESSAGE of `/user/queue/notifications`. */
export const NOTIFICATION_DELETED = Type.Object(
  {
    type: Type.Literal('deleted', { description: 'Tells it from a notification', examples: ['deleted'] }),
    id: { ...STORED_ID, description: 'Of the notification' },
    at: AT,
  },
  { description: 'The user has deleted a notification' },
)

/** MESSAGE of `/user/queue/notifications`. */
export const NOTIFICATIONS_CHANGED = Type.Object(
  {
    type: Type.Enum(['all-read', 'all-deleted'], {
      description: 'What happened to all notifications before this event in the stream',
      examples: ['all-read'],
    }),
    at: AT,
  },
  { description: 'The user has read or deleted all notifications' },
)

/** MESSAGE of `/user/queue/notifications`. */
export const NOTIFICATION_PREFERENCES_CHANGED = Type.Object(
  {
    type: Type.Literal('preferences', {
      description: 'Tells it from a notification',
      examples: ['preferences'],
    }),
    muted: NOTIFICATION_PREFERENCES.properties.muted,
    at: AT,
  },
  { description: 'The user has muted other types than before' },
)

/** Every event of `/user/queue/notifications` that is no notification. */
export type NotificationEvent =
  | Static<typeof NOTIFICATION_CHANGED>
  | Static<typeof NOTIFICATION_DELETED>
  | Static<typeof NOTIFICATIONS_CHANGED>
  | Static<typeof NOTIFICATION_PREFERENCES_CHANGED>

/** Answer to GET `/api/v1/notifications/status`. */
export const NOTIFICATION_STATUS = Type.Object(
  {
    connectedUsers: Type.Integer({
      minimum: 0,
      description: 'Users with a session on any node',
      examples: [1],
    }),
    users: Type.Array(USER_NAME, {
      description: 'Their names, sorted, a page of them',
      examples: [['alice']],
    }),
    cursor: Type.Optional(
      Type.String({ description: 'Asks for the names that follow; missing at the end', examples: ['alice'] }),
    ),
  },
  { description: 'Who would be told at once' },
)
