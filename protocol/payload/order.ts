import { Type, type Static } from 'typebox'
import { ORDER_ID, TIMESTAMP, USER_NAME } from './fields.ts'

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
