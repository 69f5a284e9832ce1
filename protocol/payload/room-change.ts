import { Type, type Static } from 'typebox'
import { CONTENT, ROOM_NAME, STORED_ID, TIMESTAMP, USER_NAME } from './fields.ts'

const BY = Type.String({ ...USER_NAME, description: 'Who did it', examples: ['alice'] })
const AT = Type.String({ ...TIMESTAMP, description: 'When it was done: RFC 3339, UTC' })

/** MESSAGE of `/topic/rooms.{room}`: a message is another one now. */
export const ROOM_MESSAGE_EDITED = Type.Object(
  {
    type: Type.Literal('edited', { description: 'What happened', examples: ['edited'] }),
    id: STORED_ID,
    room: ROOM_NAME,
    content: CONTENT,
    editedAt: AT,
    by: BY,
  },
  { description: 'A message in a room was edited by its sender' },
)

/** Likewise: a message is no more. */
export const ROOM_MESSAGE_DELETED = Type.Object(
  {
    type: Type.Literal('deleted', { description: 'What happened', examples: ['deleted'] }),
    id: STORED_ID,
    room: ROOM_NAME,
    by: BY,
    at: AT,
  },
  { description: 'A message in a room was deleted by its sender or an administrator' },
)

/** The first event of a private room: whoever subscribed to its name before is asked for. */
export const ROOM_CREATED = Type.Object(
  {
    type: Type.Literal('created', { description: 'What happened', examples: ['created'] }),
    room: ROOM_NAME,
    by: BY,
    at: AT,
  },
  { description: 'A private room was made. The first event in its stream; public rooms have none' },
)

/** In a private room: whoever subscribes and was removed is cut off here. */
export const ROOM_MEMBER_REMOVED = Type.Object(
  {
    type: Type.Literal('member-removed', { description: 'What happened', examples: ['member-removed'] }),
    room: ROOM_NAME,
    user: USER_NAME,
    by: BY,
    at: AT,
  },
  {
    description: 'Somebody was removed from a private room, or left it, and sees nothing of it from here on',
  },
)

export type RoomMessageEdited = Static<typeof ROOM_MESSAGE_EDITED>
export type RoomMessageDeleted = Static<typeof ROOM_MESSAGE_DELETED>
export type RoomCreated = Static<typeof ROOM_CREATED>
export type RoomMemberRemoved = Static<typeof ROOM_MEMBER_REMOVED>

/** What those of these events hold, as JSON, that change who may see a room, and no other event of a room. */
export const ROOM_SIGHT_MARKS = ['"type":"created"', '"type":"member-removed"'] as const
