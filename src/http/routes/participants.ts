import type { FastifyInstance } from 'fastify'
import { Type, type Static } from 'typebox'
import { ROOM_NAME } from '../../../protocol/payload/fields.ts'
import { PARTICIPANT, type Participant } from '../../../protocol/payload/presence.ts'
import { noRoom } from '../../app/rooms/room-access.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { RoomSight } from '../../auth/room-sight.ts'
import type { PresentRow } from '../../store/store.ts'
import type { PresenceReader } from '../../user/presence-reader.ts'
import { API, registerEndpoint } from '../endpoint.ts'
import { listPage, PAGE_QUERY, pageLimit, type ListPage } from '../page.ts'

export interface ParticipantRouteParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly presence: Pick<PresenceReader, 'present'>
  readonly sight: Pick<RoomSight, 'see'>
}

const QUERY = Type.Object(PAGE_QUERY)

/** GET `/api/v1/rooms/{room}/participants`, for those who may see the room. */
export function registerParticipants(server: FastifyInstance, parts: ParticipantRouteParts): void {
  const { authenticator, presence, sight } = parts
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${API}/rooms/:room/participants`,
    tag: 'chat',
    summary: 'Those who are in a room, by name; nobody where there is no such room',
    params: Type.Object({ room: ROOM_NAME }),
    query: QUERY,
    answers: {
      200: {
        description: 'Those present',
        schema: Type.Object({ items: Type.Array(PARTICIPANT), cursor: Type.Optional(Type.String()) }),
      },
    },
    problems: [404],
    handle: async ({ caller, params: { room }, query }) => {
      const page = await presentPage(presence, room, query)
      // Asked afterwards: of a private room of others nothing is told, be it private since a moment ago.
      if ((await sight.see(caller.name, room)).kind === 'hidden') throw noRoom()
      return page
    },
  })
}

async function presentPage(
  presence: Pick<PresenceReader, 'present'>,
  room: string,
  { cursor, ...size }: Static<typeof QUERY>,
): Promise<ListPage<Participant>> {
  const { shown, asked } = pageLimit(size)
  const rows = await presence.present(room, { limit: asked, ...(cursor !== undefined && { after: cursor }) })
  return listPage(rows, shown, { itemOf: (row: PresentRow) => row, cursorOf: ({ user }) => user })
}
