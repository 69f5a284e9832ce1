import { Type, type Static } from 'typebox'
import { STORED_ID, TIMESTAMP } from './fields.ts'

/** MESSAGE of `/user/queue/notifications`. */
export const NOTIFICATION = Type.Object(
  {
    id: STORED_ID,
    title: Type.String({ minLength: 1, maxLength: 200, description: 'One line', examples: ['Order 1001'] }),
    message: Type.String({
      minLength: 1,
      maxLength: 8192,
      description: 'What there is to know',
      examples: ['Your order is ready'],
    }),
    type: Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'What it is about; users may mute a type',
      examples: ['ORDER'],
    }),
    data: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'For the client that shows it',
        examples: [{ orderId: '1001' }],
      }),
    ),
    createdAt: TIMESTAMP,
  },
  { description: 'Something one user should know, stored and kept while they are offline' },
)

export type Notification = Static<typeof NOTIFICATION>
