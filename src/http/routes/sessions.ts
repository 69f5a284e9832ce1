import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { NAME_PATTERN } from '../../../protocol/destination.ts'
import { USER_NAME } from '../../../protocol/payload/fields.ts'
import { SESSION_INFO, type SessionInfo } from '../../../protocol/payload/session.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import { RequestError } from '../../errors.ts'
import type { SessionRow } from '../../store/store.ts'
import type { PresenceReader } from '../../user/presence-reader.ts'
import type { SessionClosing } from '../../user/session-closing.ts'
import { API, registerEndpoint } from '../endpoint.ts'
import { listPage, PAGE_QUERY, pageLimit, pageOf } from '../page.ts'

export interface SessionRouteParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly presence: Pick<PresenceReader, 'sessions'>
  readonly closing: Pick<SessionClosing, 'close'>
}

const PATH = `${API}/sessions`

const SESSION_ID = Type.String({
  pattern: '^[A-Za-z0-9-]{1,64}$',
  description: 'As in the header `session` of CONNECTED',
  examples: ['6f1c7e1a-6f0e-4c53-9d5c-1d2f3a4b5c6d'],
})

const QUERY = Type.Object({
  ...PAGE_QUERY,
  user: Type.Optional({ ...USER_NAME, description: 'Those of this user' }),
  node: Type.Optional(Type.String({ pattern: NAME_PATTERN, description: 'Those at this node' })),
})

/** Sessions of all nodes, listed and ended, on whichever they are: for administrators. */
export function registerSessions(server: FastifyInstance, parts: SessionRouteParts): void {
  registerList(server, parts)
  registerClosing(server, parts)
}

function registerList(server: FastifyInstance, { authenticator, presence }: SessionRouteParts): void {
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: PATH,
    tag: 'administration',
    summary: 'Who is connected, from where, to which node and since when; by id, descending',
    roles: ['admin'],
    query: QUERY,
    answers: { 200: { description: 'A page of sessions', schema: pageOf(SESSION_INFO) } },
    handle: async ({ query: { user, node, cursor, ...size } }) => {
      const { shown, asked } = pageLimit(size)
      const rows = await presence.sessions(
        { ...(user !== undefined && { user }), ...(node !== undefined && { nodeId: node }) },
        { limit: asked, ...(cursor !== undefined && { before: cursor }) },
      )
      return listPage(rows, shown, { itemOf: sessionInfo, cursorOf: ({ id }) => id })
    },
  })
}

function registerClosing(server: FastifyInstance, { authenticator, closing }: SessionRouteParts): void {
  registerEndpoint(server, authenticator, {
    method: 'DELETE',
    path: `${PATH}/:id`,
    tag: 'administration',
    summary: 'Ends a session, at whichever node it is',
    roles: ['admin'],
    params: Type.Object({ id: SESSION_ID }),
    answers: { 204: { description: 'It is over, or its node is on its way to be told' } },
    handle: async ({ params: { id } }) => {
      if (!(await closing.close(id))) throw new RequestError(404, 'not-found', 'there is no such session')
    },
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
