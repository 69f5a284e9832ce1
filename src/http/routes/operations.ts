import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { STORED_ID } from '../../../protocol/payload/fields.ts'
import {
  OPERATION,
  OPERATION_POST,
  OPERATION_STATUS,
  ORDERS_BULK_ACCEPTED,
  ORDERS_BULK_COUNT,
  ORDERS_BULK_POST,
} from '../../../protocol/payload/operation.ts'
import { TooManyOperations, type Operations } from '../../app/operations/operations.ts'
import { operationInfo, operationStatus } from '../../app/operations/operation-status.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import { RequestError } from '../../errors.ts'
import { API, registerEndpoint } from '../endpoint.ts'
import { listPage, PAGE_QUERY, pageLimit } from '../page.ts'

const TAG = 'operations'
const ID = Type.Object({ id: Type.String({ ...STORED_ID, maxLength: 64, pattern: '^[A-Za-z0-9-]+$' }) })
const PAGE = Type.Object(PAGE_QUERY)
const LIST = Type.Object({
  items: Type.Array(OPERATION_STATUS),
  cursor: Type.Optional(Type.String({ examples: ['0197c1a2-5d0b-7cc3-98f1-0c4f6a1b2d3e'] })),
})
const RESULT = Type.String({
  examples: [
    '{"id":"0197c1a2-5d0b-7cc3-98f1-0c4f6a1b2d3e","room":"lobby","sender":"alice","content":"Hello, all","timestamp":"2026-09-01T08:30:00.000Z"}\n',
  ],
})

export interface OperationRouteParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly operations: Operations
}

/** `/api/v1/operations`: long operations, for those who started them; bulk changes, for administrators. */
export function registerOperations(server: FastifyInstance, parts: OperationRouteParts): void {
  registerStart(server, parts)
  registerReading(server, parts)
  registerCancel(server, parts)
  registerResult(server, parts)
  registerBulkStatus(server, parts)
}

function registerStart(server: FastifyInstance, { authenticator, operations }: OperationRouteParts): void {
  registerEndpoint(server, authenticator, {
    method: 'POST',
    path: `${API}/operations`,
    tag: TAG,
    summary: 'Starts an operation',
    body: OPERATION_POST,
    answers: { 202: { description: 'Stored, and will be done', schema: OPERATION } },
    problems: [403, 404, 429],
    handle: ({ caller, body }) => bounded(() => operations.start(caller, body)),
  })
}

function registerReading(server: FastifyInstance, { authenticator, operations }: OperationRouteParts): void {
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${API}/operations`,
    tag: TAG,
    summary: "The caller's operations, newest first",
    query: PAGE,
    answers: { 200: { description: 'A page of them', schema: LIST } },
    async handle({ caller, query: { cursor, ...query } }) {
      const { shown, asked } = pageLimit(query)
      const page = { limit: asked, ...(cursor !== undefined && { before: cursor }) }
      const rows = await operations.list(caller.name, page)
      return listPage(rows, shown, { itemOf: operationStatus, cursorOf: ({ id }) => id })
    },
  })
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${API}/operations/:id`,
    tag: TAG,
    summary: "One of the caller's operations",
    params: ID,
    answers: { 200: { description: 'As it is now', schema: OPERATION } },
    problems: [404],
    handle: async ({ caller, params }) => operationInfo(await operations.find(caller.name, params.id)),
  })
}

function registerCancel(server: FastifyInstance, { authenticator, operations }: OperationRouteParts): void {
  registerEndpoint(server, authenticator, {
    method: 'DELETE',
    path: `${API}/operations/:id`,
    tag: TAG,
    summary: 'Cancels an operation: at once where it waits, before its next chunk where it runs',
    params: ID,
    answers: { 202: { description: 'As it is now', schema: OPERATION } },
    problems: [404, 409],
    handle: ({ caller, params }) => operations.cancel(caller.name, params.id),
  })
}

function registerResult(server: FastifyInstance, { authenticator, operations }: OperationRouteParts): void {
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${API}/operations/:id/result`,
    tag: TAG,
    summary: 'What an operation resulted in, as a file',
    params: ID,
    answers: {
      200: { description: 'A line for each message', schema: RESULT, contentType: 'application/x-ndjson' },
    },
    problems: [404, 409],
    async handle({ caller, params, reply }) {
      const { fileName, pieces } = await operations.result(caller.name, params.id)
      // A name is letters, digits, `_` and `-`: it needs no quoting (RFC 6266).
      void reply
        .type('application/x-ndjson')
        .header('content-disposition', `attachment; filename="${fileName}"`)
      return reply.send(Readable.from(pieces))
    },
  })
}

function registerBulkStatus(server: FastifyInstance, parts: OperationRouteParts): void {
  const { authenticator, operations } = parts
  registerEndpoint(server, authenticator, {
    method: 'POST',
    path: `${API}/admin/orders/bulk-status`,
    tag: 'administration',
    summary: 'Gives many orders another status, in the background, or counts them',
    roles: ['admin'],
    body: ORDERS_BULK_POST,
    answers: {
      202: { description: 'Stored, and will be done', schema: ORDERS_BULK_ACCEPTED },
      200: { description: 'With `dryRun`', schema: ORDERS_BULK_COUNT },
    },
    problems: [429],
    async handle({ caller, body: { dryRun, clientId, ...params }, reply }) {
      const post = { type: 'orders-bulk-status', params } as const
      if (dryRun === true) return reply.code(200).send({ count: await operations.count(caller, post) })
      const started = await bounded(() =>
        operations.start(caller, { ...post, ...(clientId !== undefined && { clientId }) }),
      )
      return reply.code(202).send({ operationId: started.id })
    },
  })
}

/** A user's own bound is theirs to wait for; that of the whole node is not. */
async function bounded<R>(start: () => Promise<R>): Promise<R> {
  try {
    return await start()
  } catch (error) {
    if (error instanceof TooManyOperations) throw new RequestError(429, error.code, error.message)
    throw error
  }
}
