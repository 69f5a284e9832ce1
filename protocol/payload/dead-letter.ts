import { Type, type Static } from 'typebox'
import { STORED_ID, TIMESTAMP } from './fields.ts'

/** Answer to GET `/api/v1/admin/dead-letters`, as a list, and to GET `/api/v1/admin/dead-letters/{id}`. */
export const DEAD_LETTER = Type.Object(
  {
    id: STORED_ID,
    queue: Type.String({ description: 'Where it came from', examples: ['user'] }),
    reason: Type.String({
      description: 'Why it could not be taken',
      examples: ['invalid-payload: /status must be equal to one of the allowed values'],
    }),
    headers: Type.Record(Type.String(), Type.String(), {
      description: 'What it came with; of a repeated name the first',
      examples: [{ 'content-type': 'application/json' }],
    }),
    body: Type.String({
      description: 'Its text, or where that is no UTF-8 its bytes in base64',
      examples: ['{"orderId":"1001","userId":"alice","status":"LOST"}'],
    }),
    encoding: Type.Enum(['utf-8', 'base64'], { description: 'What `body` is', examples: ['utf-8'] }),
    bodyBytes: Type.Integer({ minimum: 0, description: 'Length of the whole body', examples: [51] }),
    isCut: Type.Boolean({
      description:
        '`body` is only the beginning: of 4 KiB in the list, of 1 MiB where one dead letter is asked for',
      examples: [false],
    }),
    createdAt: TIMESTAMP,
  },
  { description: 'A message that no order could be made of' },
)

export type DeadLetter = Static<typeof DEAD_LETTER>

/** MESSAGE of `/queue/user.dead-letter`. */
export const DEAD_LETTER_COPY = Type.Unknown({
  description:
    'A dead letter as it came, with the headers `x-dead-letter-id` and `x-dead-letter-reason`; any bytes, JSON or not',
  examples: [{ orderId: '1001', userId: 'alice', status: 'LOST' }],
})

/** Answer to POST `/api/v1/admin/dead-letters/{id}/requeue`. */
export const DEAD_LETTER_REQUEUED = Type.Object(
  { id: STORED_ID, queue: Type.String({ description: 'Where it is again', examples: ['user'] }) },
  { description: 'A message that is in its queue again, and no dead letter any more' },
)
