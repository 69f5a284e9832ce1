import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { USER_NAME_PATTERN } from '../../../protocol/destination.ts'
import { PERSON } from '../../../protocol/payload/person.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { Store } from '../../store/store.ts'
import { API, registerEndpoint } from '../endpoint.ts'
import { listPage, PAGE_QUERY, pageLimit, pageOf } from '../page.ts'

const USERS_QUERY = Type.Object({
  ...PAGE_QUERY,
  cursor: Type.Optional(
    Type.String({ pattern: USER_NAME_PATTERN, description: 'As the page before said it' }),
  ),
  query: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9_.@-]{0,64}$',
      description: 'How the name begins, whatever the case',
      examples: ['al'],
    }),
  ),
})

/** GET `/api/v1/users?query=`: names to begin a conversation with. */
export function registerUsers(
  server: FastifyInstance,
  parts: {
    readonly authenticator: Pick<Authenticator, 'authenticate'>
    readonly store: { readonly people: Pick<Store['people'], 'list'> }
  },
): void {
  registerEndpoint(server, parts.authenticator, {
    method: 'GET',
    path: `${API}/users`,
    tag: 'chat',
    summary: 'Who has an account here, or was connected once, by name',
    query: USERS_QUERY,
    answers: { 200: { description: 'A part of the list', schema: pageOf(PERSON) } },
    async handle({ query: { query = '', cursor, ...size } }) {
      const { shown, asked } = pageLimit(size)
      const after = cursor === undefined ? {} : { after: cursor }
      const names = await parts.store.people.list(query, { limit: asked, ...after })
      return listPage(names, shown, { itemOf: (user) => ({ user }), cursorOf: (user) => user })
    },
  })
}
