import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { SessionInfo } from '../../../protocol/payload/session.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import { RequestError } from '../../errors.ts'
import type { SessionRow } from '../../store/store.ts'
import type { PresenceReader } from '../../user/presence-reader.ts'
import type { SessionClosing } from '../../user/session-closing.ts'
import { requireRole } from '../caller.ts'
import { listPage, PAGE_QUERY, pageLimit } from '../page.ts'
import { parseQuery } from '../query.ts'

export interface SessionRouteParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly presence: Pick<PresenceReader, 'sessions'>
  readonly closing: Pick<SessionClosing, 'close'>
}

const SESSIONS_QUERY = Type.Object({
  ...PAGE_QUERY,
  user: Type.Optional(Type.String({ maxLength: 255 })),
  node: Type.Optional(Type.String({ maxLength: 255 })),
})

const validator = Compile(SESSIONS_QUERY)

const PATH = '/api/v1/sessions'

/** GET `/api/v1/sessions`, of all nodes, and DELETE `/api/v1/sessions/{id}`, on whichever: for administrators. */
export function registerSessions(server: FastifyInstance, parts: SessionRouteParts): void {
  const { authenticator, presence, closing } = parts
  server.get(PATH, async (request, reply) => {
    await requireRole(authenticator, { request, reply }, ['admin'])
    const { user, node, cursor, ...query } = parseQuery(validator, request.query)
    const { shown, asked } = pageLimit(query)
    const rows = await presence.sessions(
      { ...(user !== undefined && { user }), ...(node !== undefined && { nodeId: node }) },
      { limit: asked, ...(cursor !== undefined && { before: cursor }) },
    )
    return listPage(rows, shown, { itemOf: sessionInfo, cursorOf: ({ id }) => id })
  })
  server.delete<{ Params: { id: string } }>(`${PATH}/:id`, async (request, reply) => {
    await requireRole(authenticator, { request, reply }, ['admin'])
    if (!(await closing.close(request.params.id))) {
      throw new RequestError(404, 'not-found', 'there is no such session')
    }
    return reply.code(204).send()
  })
}

function sessionInfo({
  id,
  user,
  roles,
  nodeId,
  version,
  address,
  connectedAt,
  ...row
}: SessionRow): SessionInfo {
  return {
    id,
    user,
    roles: [...roles],
    node: nodeId,
    transport: transportOf(row.transport),
    ...(version !== null && { version }),
    address,
    connectedAt,
  }
}

/** Rows are of nodes of any version. */
function transportOf(transport: string): SessionInfo['transport'] {
  return transport === 'sse' || transport === 'poll' ? transport : 'stomp'
}
