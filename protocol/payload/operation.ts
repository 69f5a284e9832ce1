import { Type, type Static } from 'typebox'
import { CLIENT_ID, ORDER_ID, ROOM_NAME, STORED_ID, TIMESTAMP, USER_NAME } from './fields.ts'
import { ORDER_STATUS } from './order.ts'

export const OPERATION_TYPE = Type.Enum(['history-export', 'orders-bulk-status'], {
  description: 'What is done',
  examples: ['history-export'],
})

export type OperationType = Static<typeof OPERATION_TYPE>

const PARAMS = Type.Record(Type.String(), Type.Unknown(), {
  description: 'As the type says',
  examples: [{ room: 'lobby' }],
})

/** `params` of the type `history-export`. */
export const HISTORY_EXPORT = Type.Object(
  { room: ROOM_NAME },
  { description: 'All messages of a room that the caller may see, as NDJSON, oldest first' },
)

const BULK_CHANGE = {
  orderIds: Type.Optional(
    Type.Array(ORDER_ID, {
      minItems: 1,
      maxItems: 1000,
      description: 'These, as far as they are there',
      examples: [['1001', '1002']],
    }),
  ),
  where: Type.Optional(
    Type.Object(
      {
        status: Type.Optional(ORDER_STATUS),
        userId: Type.Optional({ ...USER_NAME, description: 'Whose orders' }),
      },
      {
        description: 'All for which this holds; with `orderIds`, of those. `{}` is every order',
        examples: [{ status: 'PREPARED' }],
      },
    ),
  ),
  status: { ...ORDER_STATUS, description: 'What they become' },
  note: Type.Optional(
    Type.String({ maxLength: 2000, description: 'For the customers', examples: ['At the back door'] }),
  ),
}

/** `params` of the type `orders-bulk-status`. */
export const ORDERS_BULK_STATUS = Type.Object(BULK_CHANGE, {
  description: 'Many orders become another status; `orderIds`, `where` or both say which',
})

export type OrdersBulkStatus = Static<typeof ORDERS_BULK_STATUS>

/** POST `/api/v1/admin/orders/bulk-status`. */
export const ORDERS_BULK_POST = Type.Object(
  {
    ...BULK_CHANGE,
    dryRun: Type.Optional(
      Type.Boolean({ description: 'Only counts how many orders it would go through', examples: [true] }),
    ),
    clientId: Type.Optional(CLIENT_ID),
  },
  { description: 'Starts an operation of the type `orders-bulk-status`' },
)

/** Answer to POST `/api/v1/admin/orders/bulk-status`. */
export const ORDERS_BULK_ACCEPTED = Type.Object(
  { operationId: STORED_ID },
  { description: 'The operation that was started' },
)

/** Answer to the same with `dryRun`. */
export const ORDERS_BULK_COUNT = Type.Object(
  { count: Type.Integer({ minimum: 0, description: 'Orders', examples: [412] }) },
  { description: 'How many orders it would go through; nothing was started' },
)

/** SEND `/app/operations`, POST `/api/v1/operations`. */
export const OPERATION_POST = Type.Object(
  { type: OPERATION_TYPE, params: PARAMS, clientId: Type.Optional(CLIENT_ID) },
  { description: 'Starts an operation' },
)

export type OperationPost = Static<typeof OPERATION_POST>

const STATUS = {
  id: STORED_ID,
  type: OPERATION_TYPE,
  state: Type.Enum(['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'], {
    description: 'The last three are its end',
    examples: ['RUNNING'],
  }),
  done: Type.Integer({ minimum: 0, description: 'How much is done; never falls', examples: [1200] }),
  total: Type.Optional(
    Type.Integer({ minimum: 0, description: 'Of how much, once that was counted', examples: [100000] }),
  ),
  error: Type.Optional(
    Type.Object(
      {
        code: Type.String({ description: 'For programs', examples: ['not-found'] }),
        message: Type.String({ description: 'For people', examples: ['there is no such room'] }),
      },
      { description: 'Why it failed', examples: [{ code: 'not-found', message: 'there is no such room' }] },
    ),
  ),
  isCancelRequested: Type.Boolean({
    description: 'It ends soon, one way or the other',
    examples: [false],
  }),
  hasResult: Type.Boolean({
    description: 'GET `/api/v1/operations/{id}/result` answers it',
    examples: [false],
  }),
  createdAt: TIMESTAMP,
  startedAt: Type.Optional({ ...TIMESTAMP, description: 'When a node first took it: RFC 3339, UTC' }),
  endedAt: Type.Optional({ ...TIMESTAMP, description: 'RFC 3339, UTC' }),
}

/** MESSAGE `/user/queue/operations`, SSE event `operation`, one of GET `/api/v1/operations`. */
export const OPERATION_STATUS = Type.Object(STATUS, { description: 'How far an operation is' })

export type OperationStatus = Static<typeof OPERATION_STATUS>

/** Answer to POST and DELETE `/api/v1/operations`, GET `/api/v1/operations/{id}`. */
export const OPERATION = Type.Object({ ...STATUS, params: PARAMS }, { description: 'An operation' })

export type Operation = Static<typeof OPERATION>
