import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { isName } from '../../../protocol/destination.ts'
import type { Participant } from '../../../protocol/payload/presence.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import { RequestError } from '../../errors.ts'
import type { PresentRow } from '../../store/store.ts'
import type { PresenceReader } from '../../user/presence-reader.ts'
import { requireCaller } from '../caller.ts'
import { listPage, PAGE_QUERY, pageLimit, type ListPage } from '../page.ts'
import { parseQuery } from '../query.ts'

export interface ParticipantRouteParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly presence: Pick<PresenceReader, 'present'>
}

const validator = Compile(Type.Object(PAGE_QUERY))

/** GET `/api/v1/rooms/{room}/participants`, for everybody. */
export function registerParticipants(server: FastifyInstance, parts: ParticipantRouteParts): void {
  const { authenticator, presence } = parts
  server.get<{ Params: { room: string } }>('/api/v1/rooms/:room/participants', async (request, reply) => {
    await requireCaller(authenticator, { request, reply })
    const { room } = request.params
    if (!isName(room)) {
      throw new RequestError(400, 'invalid-room', 'a room name is 1 to 64 of A-Z a-z 0-9 _ -')
    }
    return presentPage(presence, room, request.query)
  })
}

async function presentPage(
  presence: Pick<PresenceReader, 'present'>,
  room: string,
  query: unknown,
): Promise<ListPage<Participant>> {
  const { cursor, ...size } = parseQuery(validator, query)
  const { shown, asked } = pageLimit(size)
  const rows = await presence.present(room, { limit: asked, ...(cursor !== undefined && { after: cursor }) })
  return listPage(rows, shown, { itemOf: (row: PresentRow) => row, cursorOf: ({ user }) => user })
}
