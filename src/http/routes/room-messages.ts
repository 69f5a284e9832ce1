import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { ROOM_NAME } from '../../../protocol/payload/fields.ts'
import { ROOM_MESSAGE } from '../../../protocol/payload/room-message.ts'
import { ROOM_MESSAGE_PATCH } from '../../../protocol/payload/room.ts'
import { deleteMessage, editMessage } from '../../app/rooms/change-message.ts'
import { roomHistory } from '../../app/rooms/room-reading.ts'
import { API, registerEndpoint } from '../endpoint.ts'
import { PAGE_QUERY, pageLimit } from '../page.ts'
import type { RoomRouteParts } from './room-route-parts.ts'

const MESSAGE_ID = Type.String({ minLength: 1, maxLength: 128, description: 'Id of a message' })
const ROOM = Type.Object({ room: ROOM_NAME })
const MESSAGE = Type.Object({ room: ROOM_NAME, id: MESSAGE_ID })
const PAGE = Type.Object({
  ...PAGE_QUERY,
  before: Type.Optional({ ...MESSAGE_ID, description: 'Only messages before this one, the newest first' }),
  after: Type.Optional({ ...MESSAGE_ID, description: 'Only messages after this one, the oldest first' }),
})
const NEXT = Type.Optional(Type.String({ description: 'Asks for what follows, in the same direction' }))

/** What was written in rooms, for those who may see them. */
export function registerRoomMessageRoutes(server: FastifyInstance, parts: RoomRouteParts): void {
  registerEndpoint(server, parts.authenticator, {
    method: 'GET',
    path: `${API}/rooms/:room/messages`,
    tag: 'chat',
    summary:
      'Messages of a room, the newest first, or with `after` the oldest; deleted ones are not among them',
    params: ROOM,
    query: PAGE,
    answers: {
      200: {
        description: 'Messages',
        schema: Type.Object({ items: Type.Array(ROOM_MESSAGE), cursor: NEXT }),
      },
    },
    problems: [404],
    handle: async ({ caller, params, query }) => {
      const { shown, asked } = pageLimit(query)
      const { cursor, ...bounds } = query
      const from = cursor !== undefined && { [bounds.after === undefined ? 'before' : 'after']: cursor }
      const place = { user: caller.name, room: params.room }
      const items = await roomHistory(parts, place, { ...bounds, ...from, limit: asked })
      const last = items.length > shown ? items[shown - 1] : undefined
      return { items: items.slice(0, shown), ...(last !== undefined && { cursor: last.id }) }
    },
  })
  registerChanges(server, parts)
}

function registerChanges(server: FastifyInstance, parts: RoomRouteParts): void {
  registerEndpoint(server, parts.authenticator, {
    method: 'PATCH',
    path: `${API}/rooms/:room/messages/:id`,
    tag: 'chat',
    summary: "Changes what one's own message says",
    params: MESSAGE,
    body: ROOM_MESSAGE_PATCH,
    answers: { 200: { description: 'The message', schema: ROOM_MESSAGE } },
    problems: [403, 404],
    handle: async ({ caller, params, body }) => editMessage(parts, caller, { ...params, ...body }),
  })
  registerEndpoint(server, parts.authenticator, {
    method: 'DELETE',
    path: `${API}/rooms/:room/messages/:id`,
    tag: 'chat',
    summary: "Removes one's own message; administrators remove any",
    params: MESSAGE,
    answers: { 204: { description: 'Removed' } },
    problems: [403, 404],
    handle: async ({ caller, params }) => deleteMessage(parts, caller, params),
  })
}
