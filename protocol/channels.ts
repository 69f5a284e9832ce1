import { Type, type TSchema } from 'typebox'
import { BROADCAST } from './payload/broadcast.ts'
import { DEAD_LETTER_COPY } from './payload/dead-letter.ts'
import { FAULT } from './payload/fault.ts'
import {
  NOTIFICATION,
  NOTIFICATION_CHANGED,
  NOTIFICATION_DELETED,
  NOTIFICATION_PREFERENCES_CHANGED,
  NOTIFICATIONS_CHANGED,
} from './payload/notification.ts'
import { OPERATION_POST, OPERATION_STATUS } from './payload/operation.ts'
import { ORDER_EVENT, ORDER_SEND } from './payload/order.ts'
import { ONLINE_PRESENCE, PARTICIPANT, ROOM_PRESENCE } from './payload/presence.ts'
import {
  MESSAGE_READ,
  MESSAGE_RECEIPT,
  PRIVATE_MESSAGE,
  PRIVATE_MESSAGE_SEND,
} from './payload/private-message.ts'
import { PUBLIC_MESSAGE, PUBLIC_MESSAGE_SEND } from './payload/public-message.ts'
import {
  ROOM_CREATED,
  ROOM_MEMBER_REMOVED,
  ROOM_MESSAGE_DELETED,
  ROOM_MESSAGE_EDITED,
} from './payload/room-change.ts'
import { ROOM_MESSAGE, ROOM_MESSAGE_SEND } from './payload/room-message.ts'
import { ROOM_READ, ROOM_READ_SEND, ROOM_TYPING, ROOM_TYPING_SEND } from './payload/room.ts'
import { SESSION_TOKEN } from './payload/session-token.ts'

/** What a client can do with a destination of ours. */
export interface Channel {
  /** `{room}`, `{user}`, `{orderId}`, `{id}` stand for one word. */
  readonly address: string
  readonly summary: string
  /** What it takes: the client SENDs it. */
  readonly takes?: TSchema
  /** What it gives: MESSAGEs to its subscribers, as long as they stay. */
  readonly gives?: readonly TSchema[]
  /** What it answers: one MESSAGE to each SUBSCRIBE, and that is all. */
  readonly answers?: TSchema
  /** Its events are stored: they have offsets, and can be resumed (CONTRACT, section 6). */
  readonly isStream?: boolean
  /** For whom but users it is. */
  readonly roles?: readonly ('service' | 'admin')[]
}

/** Every destination of the relay's own (CONTRACT, section 5), in its order. */
export const CHANNELS: readonly Channel[] = [
  {
    address: '/app/messages',
    summary: 'Says something to everybody, or with a `receiver` to one',
    takes: PUBLIC_MESSAGE_SEND,
  },
  { address: '/app/send', summary: 'The older name of `/app/messages`', takes: PUBLIC_MESSAGE_SEND },
  {
    address: '/topic/messages',
    summary: 'What is said to everybody',
    gives: [PUBLIC_MESSAGE],
    isStream: true,
  },
  {
    address: '/app/rooms/{room}/messages',
    summary: 'Says something in a room',
    takes: ROOM_MESSAGE_SEND,
  },
  {
    address: '/topic/rooms.{room}',
    summary: 'What is said in a room',
    gives: [ROOM_MESSAGE, ROOM_MESSAGE_EDITED, ROOM_MESSAGE_DELETED, ROOM_CREATED, ROOM_MEMBER_REMOVED],
    isStream: true,
  },
  {
    address: '/app/rooms/{room}/typing',
    summary: 'Tells a room that one types, or has stopped',
    takes: ROOM_TYPING_SEND,
  },
  { address: '/topic/rooms.{room}.typing', summary: 'Who types in a room', gives: [ROOM_TYPING] },
  {
    address: '/app/rooms/{room}/read',
    summary: 'Tells how far one has read in a room',
    takes: ROOM_READ_SEND,
  },
  {
    address: '/topic/rooms.{room}.read',
    summary: 'How far everybody has read in a room',
    gives: [ROOM_READ],
    isStream: true,
  },
  {
    address: '/topic/rooms.{room}.presence',
    summary: 'Who enters and leaves a room',
    gives: [ROOM_PRESENCE],
  },
  { address: '/topic/presence', summary: 'Who comes online and goes', gives: [ONLINE_PRESENCE] },
  {
    address: '/app/rooms/{room}/participants',
    summary: 'Who is in a room',
    answers: Type.Array(PARTICIPANT),
  },
  {
    address: '/app/rooms/{room}/history',
    summary: 'What was said in a room',
    answers: Type.Array(ROOM_MESSAGE),
  },
  {
    address: '/app/users/{user}/messages',
    summary: 'Says something to one user',
    takes: PRIVATE_MESSAGE_SEND,
  },
  {
    address: '/app/messages/{id}/read',
    summary: 'The receiver has read a private message',
    takes: MESSAGE_READ,
  },
  { address: '/app/presence', summary: 'Who is online', answers: Type.Array(PARTICIPANT) },
  { address: '/app/session/token', summary: 'Prolongs the session', takes: SESSION_TOKEN },
  {
    address: '/user/queue/messages',
    summary: 'Private messages, received and sent',
    gives: [PRIVATE_MESSAGE],
    isStream: true,
  },
  {
    address: '/user/queue/receipts',
    summary: 'How far private messages of the user got',
    gives: [MESSAGE_RECEIPT],
    isStream: true,
  },
  {
    address: '/user/queue/notifications',
    summary: 'Notifications of the user, and what becomes of them',
    gives: [
      NOTIFICATION,
      NOTIFICATION_CHANGED,
      NOTIFICATION_DELETED,
      NOTIFICATIONS_CHANGED,
      NOTIFICATION_PREFERENCES_CHANGED,
    ],
    isStream: true,
  },
  { address: '/user/queue/orders', summary: 'Orders of the user', gives: [ORDER_EVENT], isStream: true },
  { address: '/app/operations', summary: 'Starts a long operation', takes: OPERATION_POST },
  {
    address: '/user/queue/operations',
    summary: 'How far the operations of the user are, at most 10 times a second',
    gives: [OPERATION_STATUS],
    isStream: true,
  },
  { address: '/user/queue/errors', summary: 'Why something was refused', gives: [FAULT] },
  {
    address: '/topic/orders.{orderId}',
    summary: 'Changes of an order, for its owner and administrators',
    gives: [ORDER_EVENT],
    isStream: true,
  },
  {
    address: '/topic/orders',
    summary: 'Changes of all orders',
    gives: [ORDER_EVENT],
    isStream: true,
    roles: ['admin'],
  },
  { address: '/topic/broadcasts', summary: 'Announcements', gives: [BROADCAST], isStream: true },
  { address: '/queue/user', summary: 'Takes in a change of an order', takes: ORDER_SEND, roles: ['service'] },
  {
    address: '/queue/user.dead-letter',
    summary: 'Copies of dead letters, each to one of those who subscribe',
    gives: [DEAD_LETTER_COPY],
    roles: ['admin'],
  },
]
