import { Type, type Static } from 'typebox'
import { CLIENT_ID, CONTENT, STORED_ID, TIMESTAMP, USER_NAME } from './fields.ts'

/** SEND `/app/messages`. Unknown fields are ignored; so is a `sender`: it is the authenticated name. */
export const PUBLIC_MESSAGE_SEND = Type.Object(
  {
    content: CONTENT,
    receiver: Type.Optional({ ...USER_NAME, description: 'Makes it a private message to this user' }),
    clientId: Type.Optional(CLIENT_ID),
  },
  { description: 'A message to everybody, or with `receiver` to one user' },
)

export type PublicMessageSend = Static<typeof PUBLIC_MESSAGE_SEND>

/** MESSAGE of `/topic/messages`. */
export const PUBLIC_MESSAGE = Type.Object(
  {
    id: STORED_ID,
    sender: USER_NAME,
    content: CONTENT,
    timestamp: TIMESTAMP,
    status: Type.Literal('SENT', { description: 'Stored', examples: ['SENT'] }),
  },
  { description: 'A public message, stored' },
)

export type PublicMessage = Static<typeof PUBLIC_MESSAGE>
