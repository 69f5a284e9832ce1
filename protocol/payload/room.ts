import { Type, type Static } from 'typebox'
import { CLIENT_ID, CONTENT, EVENT_ID, ROOM_NAME, TIMESTAMP, USER_NAME } from './fields.ts'
import { ROOM_MESSAGE } from './room-message.ts'

const VISIBILITY = Type.Enum(['public', 'private'], {
  description: 'Who may see it: everybody, or its members alone. It never changes',
  examples: ['private'],
})

/** POST `/api/v1/rooms`. */
export const ROOM_POST = Type.Object(
  {
    name: ROOM_NAME,
    visibility: Type.Optional({ ...VISIBILITY, description: 'Without it `public`' }),
    clientId: Type.Optional(CLIENT_ID),
  },
  { description: 'A room to be made; whoever makes a private one is its owner and first member' },
)

export type RoomPost = Static<typeof ROOM_POST>

/** Answer to GET `/api/v1/rooms/{room}`, and one of the list. */
export const ROOM_INFO = Type.Object(
  {
    name: ROOM_NAME,
    visibility: VISIBILITY,
    owner: { ...USER_NAME, description: 'Who made it, by its first message where nobody did otherwise' },
    createdAt: TIMESTAMP,
    unread: Type.Integer({
      minimum: 0,
      maximum: 1000,
      description: 'Messages of others behind the one that the caller read last; not counted beyond 1000',
      examples: [3],
    }),
    readEventId: Type.Optional({ ...EVENT_ID, description: 'Of what the caller read last, if anything' }),
    lastMessage: Type.Optional(ROOM_MESSAGE),
  },
  { description: 'A room, as the caller sees it' },
)

export type RoomInfo = Static<typeof ROOM_INFO>

/** Answer to GET and PUT `/api/v1/rooms/{room}/members/{user}`. */
export const ROOM_MEMBER = Type.Object(
  {
    user: USER_NAME,
    role: Type.Enum(['owner', 'member'], { description: 'What they are there', examples: ['member'] }),
    since: TIMESTAMP,
  },
  { description: 'A member of a private room' },
)

export type RoomMember = Static<typeof ROOM_MEMBER>

/** PATCH `/api/v1/rooms/{room}/messages/{id}`. */
export const ROOM_MESSAGE_PATCH = Type.Object(
  { content: CONTENT },
  { description: 'What the message shall say' },
)

const TYPING = Type.Boolean({ description: 'Whether they type, or have stopped', examples: [true] })

/** SEND `/app/rooms/{room}/typing`. */
export const ROOM_TYPING_SEND = Type.Object(
  { typing: TYPING },
  { description: 'Whether the sender types in the room just now. Never stored' },
)

/** MESSAGE of `/topic/rooms.{room}.typing`. */
export const ROOM_TYPING = Type.Object(
  { user: USER_NAME, typing: TYPING },
  {
    description:
      'Whether somebody types in the room just now; where several are under way, the latest counts',
  },
)

/** SEND `/app/rooms/{room}/read`. */
export const ROOM_READ_SEND = Type.Object(
  { eventId: { ...EVENT_ID, description: 'The `event-id` of the last event read in `/topic/rooms.{room}`' } },
  { description: 'How far the sender has read. Stored; an earlier place than the one known changes nothing' },
)

/** MESSAGE of `/topic/rooms.{room}.read`. */
export const ROOM_READ = Type.Object(
  { user: USER_NAME, eventId: EVENT_ID },
  { description: 'How far somebody has read in the room, stored' },
)

export type RoomTyping = Static<typeof ROOM_TYPING>
export type RoomRead = Static<typeof ROOM_READ>
