import { Type, type Static } from 'typebox'
import { CLIENT_ID, CONTENT, EVENT_ID, STORED_ID, TIMESTAMP, USER_NAME } from './fields.ts'

/** SEND `/app/users/{user}/messages`. */
export const PRIVATE_MESSAGE_SEND = Type.Object(
  { content: CONTENT, clientId: Type.Optional(CLIENT_ID) },
  {
    description:
      'A message to one user, who may never have been here: it waits for whoever comes by that name. A `clientId` counts among those of `/app/messages`',
  },
)

const RECEIPT_STATUS = Type.Enum(['STORED', 'DELIVERED', 'READ'], {
  description:
    'How far it got: it is in the database, a session of the receiver was handed it, the receiver said that it is read',
  examples: ['DELIVERED'],
})

/** MESSAGE of `/user/queue/messages`. */
export const PRIVATE_MESSAGE = Type.Object(
  {
    id: STORED_ID,
    sender: USER_NAME,
    receiver: { ...USER_NAME, description: 'Whom it is for', examples: ['bob'] },
    content: CONTENT,
    timestamp: TIMESTAMP,
    status: Type.Literal('SENT', { description: 'Stored', examples: ['SENT'] }),
    clientId: Type.Optional({ ...CLIENT_ID, description: 'What the sender chose; only the sender sees it' }),
    receipt: Type.Optional({
      ...RECEIPT_STATUS,
      description:
        'How far it got, where it is listed over HTTP; live it is told to the sender by `/user/queue/receipts`',
    }),
  },
  { description: 'A private message, stored; its sender and its receiver get it' },
)

export type PrivateMessage = Static<typeof PRIVATE_MESSAGE>

/** SEND `/app/messages/{id}/read`. */
export const MESSAGE_READ = Type.Object(
  {},
  { description: 'The receiver of a private message has read it; the body may be empty' },
)

/** MESSAGE of `/user/queue/receipts`. */
export const MESSAGE_RECEIPT = Type.Object(
  {
    messageId: { ...STORED_ID, description: 'Id of the private message' },
    status: RECEIPT_STATUS,
    at: Type.String({
      format: 'date-time',
      description: 'When it got there: RFC 3339, UTC, by the clock of the node where it happened',
      examples: ['2026-09-01T08:30:00.250Z'],
    }),
  },
  { description: 'How far a private message of yours got: each status once, in this order' },
)

export type MessageReceipt = Static<typeof MESSAGE_RECEIPT>

/** One of GET `/api/v1/conversations`. */
export const CONVERSATION = Type.Object(
  {
    user: { ...USER_NAME, description: 'The other one', examples: ['bob'] },
    lastMessage: PRIVATE_MESSAGE,
    unread: Type.Integer({
      minimum: 0,
      description: 'Messages of the other one that were not read',
      examples: [2],
    }),
  },
  { description: 'Private messages with somebody' },
)

export type Conversation = Static<typeof CONVERSATION>

/** Answer to POST `/api/v1/chat/send`. */
export const MESSAGE_ACCEPTED = Type.Object(
  {
    id: STORED_ID,
    eventId: {
      ...EVENT_ID,
      description:
        'Its place in the stream of `/topic/messages`, or, of a private message, in the sender’s `/user/queue/messages`',
    },
  },
  { description: 'Stored, and will be relayed' },
)

export type MessageAccepted = Static<typeof MESSAGE_ACCEPTED>
