import { Type, type Static } from 'typebox'
import { ROOM_NAME, USER_NAME } from './fields.ts'

const AT = Type.String({
  format: 'date-time',
  description:
    'When it happened: RFC 3339, UTC, by the clock of the database. Where events of one user cross on their way from several nodes, the later time counts',
  examples: ['2026-09-01T08:30:00.000Z'],
})

const SINCE = Type.String({
  format: 'date-time',
  description: 'When they came: RFC 3339, UTC, by the clock of their node',
  examples: ['2026-09-01T08:30:00.000Z'],
})

/** MESSAGE of `/topic/rooms.{room}.presence`. */
export const ROOM_PRESENCE = Type.Object(
  {
    type: Type.Enum(['JOINED', 'LEFT'], { description: 'What they did', examples: ['JOINED'] }),
    user: USER_NAME,
    room: ROOM_NAME,
    at: AT,
  },
  {
    description:
      'Somebody is in a room with their first session there, or has left it with the last one for 5 s or more',
  },
)

export type RoomPresence = Static<typeof ROOM_PRESENCE>

/** MESSAGE of `/topic/presence`. */
export const ONLINE_PRESENCE = Type.Object(
  {
    type: Type.Enum(['ONLINE', 'OFFLINE'], { description: 'What they became', examples: ['ONLINE'] }),
    user: USER_NAME,
    at: AT,
  },
  {
    description: 'Somebody has their first session, or has been without any for 5 s or more',
  },
)

export type OnlinePresence = Static<typeof ONLINE_PRESENCE>

/** One of those present. */
export const PARTICIPANT = Type.Object(
  { user: USER_NAME, since: SINCE },
  { description: 'One of a list, by name, of those who are in a room or online' },
)

export type Participant = Static<typeof PARTICIPANT>
