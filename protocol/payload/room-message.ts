import { Type, type Static } from 'typebox'
import { CLIENT_ID, CONTENT, ROOM_NAME, STORED_ID, TIMESTAMP, USER_NAME } from './fields.ts'

const REPLY_TO = Type.String({
  minLength: 1,
  maxLength: 128,
  description: 'Id of the message that this one answers',
  examples: ['0197c1a1-11aa-7000-8000-3f2b1c0d9e8f'],
})

/** SEND `/app/rooms/{room}/messages`. */
export const ROOM_MESSAGE_SEND = Type.Object(
  { content: CONTENT, replyTo: Type.Optional(REPLY_TO), clientId: Type.Optional(CLIENT_ID) },
  { description: 'A message to a room' },
)

/** MESSAGE of `/topic/rooms.{room}`. */
export const ROOM_MESSAGE = Type.Object(
  {
    id: STORED_ID,
    room: ROOM_NAME,
    sender: USER_NAME,
    content: CONTENT,
    timestamp: TIMESTAMP,
    replyTo: Type.Optional(REPLY_TO),
    clientId: Type.Optional(CLIENT_ID),
    editedAt: Type.Optional({
      ...TIMESTAMP,
      description:
        'When it was edited last: RFC 3339, UTC; only in histories, where the content is the edited one',
    }),
  },
  { description: 'A message in a room, stored' },
)

export type RoomMessage = Static<typeof ROOM_MESSAGE>
