import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { ROOM_NAME, USER_NAME } from '../../../protocol/payload/fields.ts'
import { ROOM_INFO, ROOM_MEMBER, ROOM_POST } from '../../../protocol/payload/room.ts'
import { createRoom } from '../../app/rooms/create-room.ts'
import { addMember, memberOf, membersOf, removeMember } from '../../app/rooms/members.ts'
import { listRooms, roomInfo } from '../../app/rooms/room-reading.ts'
import { API, registerEndpoint } from '../endpoint.ts'
import { listPage, PAGE_QUERY, pageLimit } from '../page.ts'
import { registerRoomMessageRoutes } from './room-messages.ts'
import type { RoomRouteParts } from './room-route-parts.ts'

const ROOM = Type.Object({ room: ROOM_NAME })
const MEMBER = Type.Object({ room: ROOM_NAME, user: USER_NAME })
const PAGE = Type.Object(PAGE_QUERY)
const cursorIsNext = Type.Optional(Type.String({ description: 'Asks for what follows' }))

/** Rooms, their members and their messages, under `/api/v1/rooms`. */
export function registerRoomRoutes(server: FastifyInstance, parts: RoomRouteParts): void {
  registerMaking(server, parts)
  registerReading(server, parts)
  registerMembers(server, parts)
  registerMemberChanges(server, parts)
  registerRoomMessageRoutes(server, parts)
}

function registerMaking(server: FastifyInstance, parts: RoomRouteParts): void {
  registerEndpoint(server, parts.authenticator, {
    method: 'POST',
    path: `${API}/rooms`,
    tag: 'chat',
    summary: 'Makes a room',
    body: ROOM_POST,
    answers: { 201: { description: 'The room', schema: ROOM_INFO } },
    problems: [409],
    handle: async ({ caller, body }) => createRoom(parts, caller.name, body),
  })
}

function registerReading(server: FastifyInstance, parts: RoomRouteParts): void {
  const { authenticator } = parts
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${API}/rooms`,
    tag: 'chat',
    summary: "Lists public rooms and the caller's own private ones, by name",
    query: PAGE,
    answers: {
      200: {
        description: 'Rooms',
        schema: Type.Object({ items: Type.Array(ROOM_INFO), cursor: cursorIsNext }),
      },
    },
    handle: async ({ caller, query }) => {
      const { shown, asked } = pageLimit(query)
      const rooms = await listRooms(parts, caller.name, { limit: asked, ...afterOf(query) })
      return listPage(rooms, shown, { itemOf: (room) => room, cursorOf: ({ name }) => name })
    },
  })
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${API}/rooms/:room`,
    tag: 'chat',
    summary: 'A room, with what the caller has not read of it',
    params: ROOM,
    answers: { 200: { description: 'The room', schema: ROOM_INFO } },
    problems: [404],
    handle: async ({ caller, params }) => roomInfo(parts, caller.name, params.room),
  })
}

function registerMembers(server: FastifyInstance, parts: RoomRouteParts): void {
  const { authenticator } = parts
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${API}/rooms/:room/members`,
    tag: 'chat',
    summary: 'Lists the members of a private room, by name; a public one has none',
    params: ROOM,
    query: PAGE,
    answers: {
      200: {
        description: 'Members',
        schema: Type.Object({ items: Type.Array(ROOM_MEMBER), cursor: cursorIsNext }),
      },
    },
    problems: [404],
    handle: async ({ caller, params, query }) => {
      const { shown, asked } = pageLimit(query)
      const members = await membersOf(parts, caller, { ...params, limit: asked, ...afterOf(query) })
      return listPage(members, shown, { itemOf: (member) => member, cursorOf: ({ user }) => user })
    },
  })
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${API}/rooms/:room/members/:user`,
    tag: 'chat',
    summary: 'A member of a private room',
    params: MEMBER,
    answers: { 200: { description: 'The member', schema: ROOM_MEMBER } },
    problems: [404],
    handle: async ({ caller, params }) => memberOf(parts, caller, params),
  })
}

function registerMemberChanges(server: FastifyInstance, parts: RoomRouteParts): void {
  const { authenticator } = parts
  registerEndpoint(server, authenticator, {
    method: 'PUT',
    path: `${API}/rooms/:room/members/:user`,
    tag: 'chat',
    summary: 'Makes somebody a member of a private room: its owner or an administrator may',
    params: MEMBER,
    answers: { 200: { description: 'The member', schema: ROOM_MEMBER } },
    problems: [404, 409],
    handle: async ({ caller, params }) => addMember(parts, caller, params),
  })
  registerEndpoint(server, authenticator, {
    method: 'DELETE',
    path: `${API}/rooms/:room/members/:user`,
    tag: 'chat',
    summary:
      'Removes a member of a private room: its owner or an administrator may, and everybody themselves',
    params: MEMBER,
    answers: { 204: { description: 'Removed' } },
    problems: [404, 409],
    handle: async ({ caller, params }) => removeMember(parts, caller, params),
  })
}

function afterOf({ cursor }: { readonly cursor?: string }): { readonly after?: string } {
  return cursor === undefined ? {} : { after: cursor }
}
