import type { TSchema } from 'typebox'
import { AUDIT_ENTRY } from './payload/audit.ts'
import { BROADCAST, BROADCAST_ACCEPTED, BROADCAST_POST } from './payload/broadcast.ts'
import { DEAD_LETTER, DEAD_LETTER_COPY, DEAD_LETTER_REQUEUED } from './payload/dead-letter.ts'
import { FEED_CONNECTED, FEED_ENDED, FEED_POLL } from './payload/event-stream.ts'
import { FAULT } from './payload/fault.ts'
import { GRANT, LOGIN_POST, LOGOUT_POST, REFRESH_POST } from './payload/login.ts'
import {
  NOTIFICATION,
  NOTIFICATION_ACCEPTED,
  NOTIFICATION_CHANGED,
  NOTIFICATION_DELETED,
  NOTIFICATION_ITEM,
  NOTIFICATION_PATCH,
  NOTIFICATION_POST,
  NOTIFICATION_PREFERENCES,
  NOTIFICATION_PREFERENCES_CHANGED,
  NOTIFICATION_STATUS,
  NOTIFICATIONS_CHANGED,
  UNREAD_COUNT,
} from './payload/notification.ts'
import { OPERATION_PAYLOADS } from './operation-payloads.ts'
import {
  CONVERSATION,
  MESSAGE_ACCEPTED,
  MESSAGE_READ,
  MESSAGE_RECEIPT,
  PRIVATE_MESSAGE,
  PRIVATE_MESSAGE_SEND,
} from './payload/private-message.ts'
import { ORDER_EVENT, ORDER_INFO, ORDER_PATCH, ORDER_SEND, ORDER_WITH_HISTORY } from './payload/order.ts'
import { PERSON } from './payload/person.ts'
import { OVERVIEW } from './payload/overview.ts'
import { ONLINE_PRESENCE, PARTICIPANT, ROOM_PRESENCE } from './payload/presence.ts'
import { NODE_INFO, SESSION_INFO } from './payload/session.ts'
import { SESSION_TOKEN } from './payload/session-token.ts'
import { PUBLIC_MESSAGE, PUBLIC_MESSAGE_SEND } from './payload/public-message.ts'
import {
  ROOM_INFO,
  ROOM_MEMBER,
  ROOM_MESSAGE_PATCH,
  ROOM_POST,
  ROOM_READ,
  ROOM_READ_SEND,
  ROOM_TYPING,
  ROOM_TYPING_SEND,
} from './payload/room.ts'
import {
  ROOM_CREATED,
  ROOM_MEMBER_REMOVED,
  ROOM_MESSAGE_DELETED,
  ROOM_MESSAGE_EDITED,
} from './payload/room-change.ts'
import { ROOM_MESSAGE, ROOM_MESSAGE_SEND } from './payload/room-message.ts'

export interface Payload {
  readonly name: string
  /** Where it travels, for PROTOCOL.md. */
  readonly travels: string
  readonly schema: TSchema
}

/** Every payload on the wire, in the order of PROTOCOL.md. */
export const PAYLOADS: readonly Payload[] = [
  {
    name: 'PublicMessageSend',
    travels: 'SEND `/app/messages`, `/app/send`; POST `/api/v1/chat/send`, `/api/chat/send`',
    schema: PUBLIC_MESSAGE_SEND,
  },
  { name: 'PublicMessage', travels: 'MESSAGE `/topic/messages`', schema: PUBLIC_MESSAGE },
  {
    name: 'MessageAccepted',
    travels: 'answer to POST `/api/v1/chat/send`, `/api/chat/send`',
    schema: MESSAGE_ACCEPTED,
  },
  {
    name: 'PrivateMessageSend',
    travels: 'SEND `/app/users/{user}/messages`',
    schema: PRIVATE_MESSAGE_SEND,
  },
  {
    name: 'PrivateMessage',
    travels:
      'MESSAGE `/user/queue/messages`; answer to GET `/api/v1/conversations/{user}/messages`, as a list',
    schema: PRIVATE_MESSAGE,
  },
  { name: 'MessageRead', travels: 'SEND `/app/messages/{id}/read`', schema: MESSAGE_READ },
  { name: 'MessageReceipt', travels: 'MESSAGE `/user/queue/receipts`', schema: MESSAGE_RECEIPT },
  { name: 'Conversation', travels: 'answer to GET `/api/v1/conversations`, as a list', schema: CONVERSATION },
  { name: 'Person', travels: 'answer to GET `/api/v1/users`, as a list', schema: PERSON },
  { name: 'RoomMessageSend', travels: 'SEND `/app/rooms/{room}/messages`', schema: ROOM_MESSAGE_SEND },
  {
    name: 'RoomMessage',
    travels:
      'MESSAGE `/topic/rooms.{room}`; answers to SUBSCRIBE `/app/rooms/{room}/history` and GET `/api/v1/rooms/{room}/messages`, as lists',
    schema: ROOM_MESSAGE,
  },
  {
    name: 'RoomMessagePatch',
    travels: 'PATCH `/api/v1/rooms/{room}/messages/{id}`',
    schema: ROOM_MESSAGE_PATCH,
  },
  { name: 'RoomMessageEdited', travels: 'MESSAGE `/topic/rooms.{room}`', schema: ROOM_MESSAGE_EDITED },
  { name: 'RoomMessageDeleted', travels: 'MESSAGE `/topic/rooms.{room}`', schema: ROOM_MESSAGE_DELETED },
  { name: 'RoomCreated', travels: 'MESSAGE `/topic/rooms.{room}`', schema: ROOM_CREATED },
  { name: 'RoomMemberRemoved', travels: 'MESSAGE `/topic/rooms.{room}`', schema: ROOM_MEMBER_REMOVED },
  { name: 'RoomTypingSend', travels: 'SEND `/app/rooms/{room}/typing`', schema: ROOM_TYPING_SEND },
  { name: 'RoomTyping', travels: 'MESSAGE `/topic/rooms.{room}.typing`', schema: ROOM_TYPING },
  { name: 'RoomReadSend', travels: 'SEND `/app/rooms/{room}/read`', schema: ROOM_READ_SEND },
  { name: 'RoomRead', travels: 'MESSAGE `/topic/rooms.{room}.read`', schema: ROOM_READ },
  { name: 'RoomPost', travels: 'POST `/api/v1/rooms`', schema: ROOM_POST },
  {
    name: 'RoomInfo',
    travels: 'answer to POST `/api/v1/rooms`, GET `/api/v1/rooms/{room}`, and GET `/api/v1/rooms`, as a list',
    schema: ROOM_INFO,
  },
  {
    name: 'RoomMember',
    travels:
      'answer to GET and PUT `/api/v1/rooms/{room}/members/{user}`, and GET `/api/v1/rooms/{room}/members`, as a list',
    schema: ROOM_MEMBER,
  },
  { name: 'RoomPresence', travels: 'MESSAGE `/topic/rooms.{room}.presence`', schema: ROOM_PRESENCE },
  { name: 'OnlinePresence', travels: 'MESSAGE `/topic/presence`', schema: ONLINE_PRESENCE },
  {
    name: 'Participant',
    travels:
      'answers to SUBSCRIBE `/app/presence` and `/app/rooms/{room}/participants`, and GET `/api/v1/rooms/{room}/participants`, as lists',
    schema: PARTICIPANT,
  },
  { name: 'BroadcastPost', travels: 'POST `/api/v1/admin/broadcasts`', schema: BROADCAST_POST },
  {
    name: 'BroadcastAccepted',
    travels: 'answer to POST `/api/v1/admin/broadcasts`',
    schema: BROADCAST_ACCEPTED,
  },
  { name: 'Broadcast', travels: 'MESSAGE `/topic/broadcasts`', schema: BROADCAST },
  { name: 'OrderSend', travels: 'SEND `/queue/user`', schema: ORDER_SEND },
  {
    name: 'OrderEvent',
    travels: 'MESSAGE `/topic/orders.{orderId}`, `/topic/orders`, `/user/queue/orders`',
    schema: ORDER_EVENT,
  },
  {
    name: 'OrderInfo',
    travels: 'answer to GET `/api/v1/orders`, as a list, and to PATCH `/api/v1/orders/{id}`',
    schema: ORDER_INFO,
  },
  { name: 'OrderWithHistory', travels: 'answer to GET `/api/v1/orders/{id}`', schema: ORDER_WITH_HISTORY },
  { name: 'OrderPatch', travels: 'PATCH `/api/v1/orders/{id}`', schema: ORDER_PATCH },
  {
    name: 'DeadLetter',
    travels:
      'answer to GET `/api/v1/admin/dead-letters`, as a list, and to GET `/api/v1/admin/dead-letters/{id}`',
    schema: DEAD_LETTER,
  },
  { name: 'DeadLetterCopy', travels: 'MESSAGE `/queue/user.dead-letter`', schema: DEAD_LETTER_COPY },
  {
    name: 'DeadLetterRequeued',
    travels: 'answer to POST `/api/v1/admin/dead-letters/{id}/requeue`',
    schema: DEAD_LETTER_REQUEUED,
  },
  { name: 'Notification', travels: 'MESSAGE `/user/queue/notifications`', schema: NOTIFICATION },
  {
    name: 'NotificationChanged',
    travels: 'MESSAGE `/user/queue/notifications`',
    schema: NOTIFICATION_CHANGED,
  },
  {
    name: 'NotificationDeleted',
    travels: 'MESSAGE `/user/queue/notifications`',
    schema: NOTIFICATION_DELETED,
  },
  {
    name: 'NotificationsChanged',
    travels: 'MESSAGE `/user/queue/notifications`',
    schema: NOTIFICATIONS_CHANGED,
  },
  {
    name: 'NotificationPreferencesChanged',
    travels: 'MESSAGE `/user/queue/notifications`',
    schema: NOTIFICATION_PREFERENCES_CHANGED,
  },
  { name: 'NotificationPost', travels: 'POST `/api/v1/notifications/send`', schema: NOTIFICATION_POST },
  {
    name: 'NotificationAccepted',
    travels: 'answer to POST `/api/v1/notifications/send`',
    schema: NOTIFICATION_ACCEPTED,
  },
  {
    name: 'NotificationItem',
    travels:
      'answer to GET `/api/v1/notifications`, as a list, and to PATCH `/api/v1/notifications/{id}`, alone',
    schema: NOTIFICATION_ITEM,
  },
  {
    name: 'NotificationPatch',
    travels: 'PATCH `/api/v1/notifications/{id}`',
    schema: NOTIFICATION_PATCH,
  },
  {
    name: 'UnreadCount',
    travels: 'answer to GET `/api/v1/notifications/unread-count`',
    schema: UNREAD_COUNT,
  },
  {
    name: 'NotificationPreferences',
    travels: 'GET and PUT `/api/v1/notifications/preferences`',
    schema: NOTIFICATION_PREFERENCES,
  },
  {
    name: 'NotificationStatus',
    travels: 'answer to GET `/api/v1/notifications/status`',
    schema: NOTIFICATION_STATUS,
  },
  {
    name: 'FeedConnected',
    travels: 'event `connected` of GET `/api/v1/notifications/stream`',
    schema: FEED_CONNECTED,
  },
  {
    name: 'FeedEnded',
    travels: 'event `token-expired` of GET `/api/v1/notifications/stream`',
    schema: FEED_ENDED,
  },
  { name: 'FeedPoll', travels: 'answer to GET `/api/v1/notifications/poll`', schema: FEED_POLL },
  { name: 'SessionInfo', travels: 'answer to GET `/api/v1/sessions`, as a list', schema: SESSION_INFO },
  { name: 'Overview', travels: 'answer to GET `/api/v1/admin/overview`', schema: OVERVIEW },
  { name: 'NodeInfo', travels: 'answer to GET `/api/v1/nodes`, as a list', schema: NODE_INFO },
  {
    name: 'LoginPost',
    travels: 'POST `/api/v1/auth/login`, `/api/v1/auth/register`',
    schema: LOGIN_POST,
  },
  { name: 'RefreshPost', travels: 'POST `/api/v1/auth/refresh`', schema: REFRESH_POST },
  { name: 'LogoutPost', travels: 'POST `/api/v1/auth/logout`', schema: LOGOUT_POST },
  {
    name: 'Grant',
    travels: 'answer to POST `/api/v1/auth/login`, `/api/v1/auth/register`, `/api/v1/auth/refresh`',
    schema: GRANT,
  },
  { name: 'SessionToken', travels: 'SEND `/app/session/token`', schema: SESSION_TOKEN },
  { name: 'AuditEntry', travels: 'answer to GET `/api/v1/admin/audit`, as a list', schema: AUDIT_ENTRY },
  ...OPERATION_PAYLOADS,
  { name: 'Fault', travels: 'MESSAGE `/user/queue/errors`', schema: FAULT },
]

/**
 * A line for each change of what travels, newest last. `sha256` is of `payloadsCanon()`; the test that
 * compares it fails until a changed schema has its line.
 */
export const PAYLOAD_HISTORY: readonly { version: number; sha256: string; change: string }[] = [
  {
    version: 1,
    sha256: '8cda29768a91fd7d7382522f16798db04590e88b02c9ca3bead9996c06e3fe31',
    change: 'messages, rooms, broadcasts, orders, notifications, faults',
  },
  {
    version: 2,
    sha256: 'e9c1e08aa8ac0c5754eb097518330e8c62c9b888b7d9734b1fa857fdb9ade7eb',
    change: 'an order event has a `version` only where the order service sent one',
  },
  {
    version: 3,
    sha256: 'e31760e0de1b219cf052a6932b14e631c2a6666a2d90ce003fc28c9bb130f0c3',
    change: 'a `clientId` makes any message repeatable; announcements may have one too',
  },
  {
    version: 4,
    sha256: 'bfa83a08b517b92c17644ca62cc80e508ca8aefed5df80ec349de70b0b3e6a83',
    change: 'the feed of a user over HTTP: event streams and long polls',
  },
  {
    version: 5,
    sha256: 'c0d77a97c329416324cb73aa91f01ac2f85d7af1cff3988bf1d2215d3f85243a',
    change: 'presence in rooms and online; sessions and nodes over HTTP',
  },
  {
    version: 6,
    sha256: '6af691109591a7f46e517032aa6144af7538d2d17a667c5ac60e2f7fabd558c2',
    change: 'registration, login, refresh and logout; a fresh token for a session; the audit',
  },
  {
    version: 7,
    sha256: 'c3bee2ca1596be9698abe492a775550fa3f23d89f9e9e70a9c9d89bc0aaa0b45',
    change:
      'the audit knows connections by tokens of others, lock-outs, feeds that administrators read, and commands',
  },
  {
    version: 8,
    sha256: '879b84c5306e6e66cfe7f065bbacb8e4e3b30bd130c8547207dad1b012a18e5f',
    change: 'rooms, private messages, notifications, orders, dead letters, operations and administration',
  },
]

/** The shapes alone: descriptions and examples may change freely. */
export function payloadsCanon(payloads: readonly Payload[] = PAYLOADS): string {
  return JSON.stringify(payloads.map(({ name, schema }) => [name, shape(schema)]))
}

function shape(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(shape)
  if (typeof node !== 'object' || node === null) return node
  const entries = Object.entries(node).filter(([key, value]) => !isProse(key, value))
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, shape(v)]))
}

/** A property may be called `description` too: its value is a schema then, no text. */
function isProse(key: string, value: unknown): boolean {
  return (key === 'description' && typeof value === 'string') || (key === 'examples' && Array.isArray(value))
}
