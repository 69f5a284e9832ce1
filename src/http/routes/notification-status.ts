import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { USER_NAME } from '../../../protocol/payload/fields.ts'
import { NOTIFICATION_STATUS } from '../../../protocol/payload/notification.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { PresenceReader } from '../../user/presence-reader.ts'
import { API, registerEndpoint } from '../endpoint.ts'
import { listPage, PAGE_QUERY, pageLimit } from '../page.ts'

/** GET `/api/v1/notifications/status`: who is connected, for administrators. */
export function registerNotificationStatus(
  server: FastifyInstance,
  parts: {
    readonly authenticator: Pick<Authenticator, 'authenticate'>
    readonly presence: Pick<PresenceReader, 'present' | 'countPresent'>
  },
): void {
  const { authenticator, presence } = parts
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${API}/notifications/status`,
    tag: 'notifications',
    summary: 'Who is connected, by name',
    roles: ['admin'],
    query: Type.Object({ ...PAGE_QUERY, cursor: Type.Optional(USER_NAME) }),
    answers: { 200: { description: 'A page of names, and how many there are', schema: NOTIFICATION_STATUS } },
    handle: async ({ query: { cursor, ...size } }) => {
      const { shown, asked } = pageLimit(size)
      const page = { limit: asked, ...(cursor !== undefined && { after: cursor }) }
      const [rows, connectedUsers] = [await presence.present(null, page), await presence.countPresent(null)]
      const { items, ...rest } = listPage(rows, shown, {
        itemOf: ({ user }) => user,
        cursorOf: ({ user }) => user,
      })
      return { connectedUsers, users: items, ...rest }
    },
  })
}
