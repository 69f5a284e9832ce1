import { Type, type Static } from 'typebox'
import { CLIENT_ID, EVENT_ID, STORED_ID, TIMESTAMP } from './fields.ts'

const TITLE = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'One line',
  examples: ['Maintenance'],
})
const MESSAGE = Type.String({
  minLength: 1,
  maxLength: 8192,
  description: 'The announcement',
  examples: ['Back at 22:00'],
})
const TYPE = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'For clients to sort by',
  examples: ['INFO'],
})

/** POST `/api/v1/admin/broadcasts`. */
export const BROADCAST_POST = Type.Object(
  {
    title: TITLE,
    message: MESSAGE,
    type: Type.Optional({ ...TYPE, description: 'For clients to sort by; `INFO` where it is missing' }),
    clientId: Type.Optional(CLIENT_ID),
  },
  { description: 'An announcement to everybody' },
)

export type BroadcastPost = Static<typeof BROADCAST_POST>

/** MESSAGE of `/topic/broadcasts`. */
export const BROADCAST = Type.Object(
  { id: STORED_ID, title: TITLE, message: MESSAGE, type: TYPE, createdAt: TIMESTAMP },
  { description: 'An announcement, stored' },
)

export type Broadcast = Static<typeof BROADCAST>

/** Answer to POST `/api/v1/admin/broadcasts`. */
export const BROADCAST_ACCEPTED = Type.Object(
  { id: STORED_ID, eventId: EVENT_ID },
  { description: 'An announcement that is durable' },
)
