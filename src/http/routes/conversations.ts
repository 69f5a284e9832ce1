import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import {
  CONVERSATION,
  MESSAGE_ACCEPTED,
  PRIVATE_MESSAGE,
  type PrivateMessage,
} from '../../../protocol/payload/private-message.ts'
import { USER_NAME } from '../../../protocol/payload/fields.ts'
import { PUBLIC_MESSAGE_SEND } from '../../../protocol/payload/public-message.ts'
import { conversationOf, privateMessageOf } from '../../app/chat/conversations.ts'
import { sendMessage } from '../../app/chat/send-message.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import { RequestError } from '../../errors.ts'
import type { MessagePage, PrivateMessageRow } from '../../store/conversations.ts'
import type { Store } from '../../store/store.ts'
import type { StreamAppender } from '../../stream/append.ts'
import { API, registerEndpoint } from '../endpoint.ts'
import { listPage, PAGE_QUERY, pageLimit, pageOf, type ListPage } from '../page.ts'

export interface ConversationRouteParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly store: Pick<Store, 'conversations'>
  readonly appender: StreamAppender
}

const TAG = 'chat'

const MESSAGE_ID = Type.String({ pattern: '^[A-Za-z0-9-]{1,255}$' })

const MESSAGES_QUERY = Type.Object({
  ...PAGE_QUERY,
  before: Type.Optional({ ...MESSAGE_ID, description: 'Only messages from before the one with this id' }),
  after: Type.Optional({ ...MESSAGE_ID, description: 'Only messages from after the one with this id' }),
})

/** How the cursor of a page begins that goes towards newer messages. */
const UPWARDS = 'after.'

/** Private messages over HTTP, and POST `/api/v1/chat/send`, which does what SEND `/app/send` does. */
export function registerConversations(server: FastifyInstance, parts: ConversationRouteParts): void {
  const { authenticator, store, appender } = parts
  registerEndpoint(server, authenticator, {
    method: 'POST',
    path: `${API}/chat/send`,
    aliases: ['/api/chat/send'],
    tag: TAG,
    summary: 'Sends a message to everybody, or with a receiver to one user',
    body: PUBLIC_MESSAGE_SEND,
    answers: { 202: { description: 'Stored, and will be relayed', schema: MESSAGE_ACCEPTED } },
    handle: ({ caller, body }) => sendMessage(appender, caller.name, body),
  })
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${API}/conversations`,
    tag: TAG,
    summary: 'With whom the caller exchanged private messages, the latest first',
    query: Type.Object(PAGE_QUERY),
    answers: { 200: { description: 'A part of the list', schema: pageOf(CONVERSATION) } },
    async handle({ caller, query: { cursor, ...query } }) {
      const { shown, asked } = pageLimit(query)
      const before = cursor === undefined ? {} : { before: cursor }
      const rows = await store.conversations.list(caller.name, { limit: asked, ...before })
      return listPage(rows, shown, {
        itemOf: (row) => conversationOf(row, caller.name),
        cursorOf: ({ last }) => last.id,
      })
    },
  })
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${API}/conversations/:user/messages`,
    tag: TAG,
    summary: 'Private messages between the caller and somebody, newest first; none where there are none',
    params: Type.Object({ user: USER_NAME }),
    query: MESSAGES_QUERY,
    answers: { 200: { description: 'A part of the list', schema: pageOf(PRIVATE_MESSAGE) } },
    handle: ({ caller, params, query }) => messages(store, [caller.name, params.user], query),
  })
}

interface MessagesQuery {
  readonly limit?: number
  readonly cursor?: string
  readonly before?: string
  readonly after?: string
}

async function messages(
  store: Pick<Store, 'conversations'>,
  users: readonly [caller: string, other: string],
  query: MessagesQuery,
): Promise<ListPage<PrivateMessage>> {
  const { shown, asked } = pageLimit(query)
  const from = startOf(query)
  const rows = await store.conversations.messages(users, { ...from, limit: asked })
  const page = { itemOf: (row: PrivateMessageRow) => privateMessageOf(row, users[0]), cursorOf: idOf }
  if (from.after === undefined) return listPage(rows, shown, page)
  // Newest first all the same; what follows is newer.
  const { items, cursor } = listPage(rows.toReversed(), shown, page)
  return { items: items.toReversed(), ...(cursor !== undefined && { cursor: `${UPWARDS}${cursor}` }) }
}

/** @throws RequestError 400 where it is to begin in several places */
function startOf({ cursor, before, after }: MessagesQuery): Pick<MessagePage, 'before' | 'after'> {
  if ([cursor, before, after].filter((each) => each !== undefined).length > 1) {
    throw new RequestError(400, 'invalid-query', 'at most one of cursor, before and after')
  }
  if (cursor?.startsWith(UPWARDS) === true) return { after: cursor.slice(UPWARDS.length) }
  const below = cursor ?? before
  return { ...(below !== undefined && { before: below }), ...(after !== undefined && { after }) }
}

function idOf({ id }: PrivateMessageRow): string {
  return id
}
