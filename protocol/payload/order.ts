import { Type, type Static } from 'typebox'
import { CLIENT_ID, ORDER_ID, TIMESTAMP, USER_NAME } from './fields.ts'

export const ORDER_STATUS = Type.Enum(['PLACED', 'PREPARED', 'READY', 'SHIPPED', 'DELIVERED', 'CANCELLED'], {
  description: 'How far the order is',
  examples: ['PLACED'],
})

export type OrderStatus = Static<typeof ORDER_STATUS>

const VERSION = Type.Integer({
  minimum: 0,
  description: 'Counts the changes at the order service; one not above the stored is ignored',
  examples: [3],
})

const DETAILS = {
  orderId: ORDER_ID,
  userId: { ...USER_NAME, description: 'Whose order it is' },
  status: ORDER_STATUS,
  items: Type.Optional(
    Type.Array(Type.Unknown(), {
      maxItems: 1000,
      description: 'Passed on as they are',
      examples: [[{ sku: 'tea', quantity: 2 }]],
    }),
  ),
  note: Type.Optional(
    Type.String({ maxLength: 2000, description: 'For the customer', examples: ['At the back door'] }),
  ),
}

/** SEND `/queue/user`, through the relay or straight to RabbitMQ. */
export const ORDER_SEND = Type.Object(
  {
    ...DETAILS,
    version: Type.Optional(VERSION),
    updatedAt: Type.Optional({ ...TIMESTAMP, description: 'When the order service changed it: RFC 3339' }),
  },
  { description: 'The present state of an order' },
)

export type OrderSend = Static<typeof ORDER_SEND>

/** MESSAGE of `/topic/orders.{orderId}`, `/topic/orders` and `/user/queue/orders`. */
export const ORDER_EVENT = Type.Object(
  {
    ...DETAILS,
    version: Type.Optional(VERSION),
    updatedAt: { ...TIMESTAMP, description: 'When it changed: RFC 3339, UTC' },
  },
  { description: 'One change of an order, stored' },
)

export type OrderEvent = Static<typeof ORDER_EVENT>

const STATE = {
  ...DETAILS,
  version: Type.Optional({ ...VERSION, description: 'The latest that the order service sent' }),
  updatedAt: { ...TIMESTAMP, description: 'When it changed: RFC 3339, UTC' },
  createdAt: { ...TIMESTAMP, description: 'When the relay first heard of it: RFC 3339, UTC' },
}

/** Answer to GET `/api/v1/orders`, as a list, and to PATCH `/api/v1/orders/{id}`. */
export const ORDER_INFO = Type.Object(STATE, { description: 'An order as it is' })

export type OrderInfo = Static<typeof ORDER_INFO>

const ORDER_CHANGE = Type.Object(
  {
    status: ORDER_STATUS,
    note: DETAILS.note,
    version: Type.Optional({ ...VERSION, description: 'The latest that the order service had sent' }),
    at: { ...TIMESTAMP, description: 'When it changed: RFC 3339, UTC' },
    by: Type.Optional({
      ...USER_NAME,
      description: 'Who changed it, for administrators to see; missing where the order service did',
      examples: ['root'],
    }),
  },
  { description: 'A state that the order was in' },
)

/** Answer to GET `/api/v1/orders/{id}`. */
export const ORDER_WITH_HISTORY = Type.Object(
  {
    ...STATE,
    history: Type.Array(ORDER_CHANGE, { description: 'What it was, oldest first: the latest 200 states' }),
  },
  { description: 'An order as it is, and as it came to be so' },
)

export type OrderWithHistory = Static<typeof ORDER_WITH_HISTORY>

/** PATCH `/api/v1/orders/{id}`. */
export const ORDER_PATCH = Type.Object(
  {
    status: ORDER_STATUS,
    note: Type.Optional(
      Type.String({
        maxLength: 2000,
        description: 'For the customer; stays as it is where this is missing',
        examples: ['Sold out, sorry'],
      }),
    ),
    clientId: Type.Optional(CLIENT_ID),
  },
  { description: 'A change of an order by an administrator' },
)

export type OrderPatch = Static<typeof ORDER_PATCH>
