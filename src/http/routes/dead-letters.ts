import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { DEAD_LETTER, DEAD_LETTER_REQUEUED, type DeadLetter } from '../../../protocol/payload/dead-letter.ts'
import { requeueDeadLetter } from '../../app/orders/requeue-dead-letter.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { Broker } from '../../broker/broker.ts'
import { RequestError } from '../../errors.ts'
import type { DeadLetterExcerpt } from '../../store/orders.ts'
import type { Store } from '../../store/store.ts'
import { API, registerEndpoint } from '../endpoint.ts'
import { listPage, PAGE_QUERY, pageLimit, pageOf } from '../page.ts'

export interface DeadLetterRouteParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly store: Store
  readonly broker: Broker
}

const PATH = `${API}/admin/dead-letters`
const ID = Type.String({ pattern: '^[0-9a-f-]{36}$' })
const PARAMS = Type.Object({ id: ID })

/** Of bodies, in a list and alone. */
const EXCERPT_BYTES = 4096
const MAX_BODY_BYTES = 1_048_576
/** Of the texts of one page, unless its first dead letter alone is longer. */
const PAGE_LENGTH = 262_144

/** Dead letters, for administrators. */
export function registerDeadLetters(server: FastifyInstance, parts: DeadLetterRouteParts): void {
  registerList(server, parts)
  registerOne(server, parts)
  registerRequeue(server, parts)
  registerRemove(server, parts)
}

function registerList(server: FastifyInstance, { authenticator, store }: DeadLetterRouteParts): void {
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: PATH,
    tag: 'administration',
    summary: 'Messages that no order could be made of, newest first; a page may be shorter than its limit',
    roles: ['admin'],
    query: Type.Object({ ...PAGE_QUERY, cursor: Type.Optional(ID) }),
    answers: { 200: { description: 'A page of dead letters', schema: pageOf(DEAD_LETTER) } },
    handle: async ({ query: { cursor, ...page } }) => {
      const { shown, asked } = pageLimit(page)
      const rows = await store.deadLetters.list({
        limit: asked,
        maxBodyBytes: EXCERPT_BYTES,
        ...(cursor !== undefined && { before: cursor }),
      })
      const fitting = Math.min(shown, countFitting(rows))
      return listPage(rows, fitting, { itemOf: letterOf, cursorOf: ({ id }) => id })
    },
  })
}

function registerOne(server: FastifyInstance, { authenticator, store }: DeadLetterRouteParts): void {
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${PATH}/:id`,
    tag: 'administration',
    summary: 'A dead letter',
    roles: ['admin'],
    params: PARAMS,
    answers: { 200: { description: 'The dead letter', schema: DEAD_LETTER } },
    handle: async ({ params: { id } }) => {
      const letter = (await store.deadLetters.find(id)) ?? notThere()
      const { body } = letter
      return letterOf({ ...letter, body: body.subarray(0, MAX_BODY_BYTES), bodyBytes: body.byteLength })
    },
  })
}

function registerRequeue(server: FastifyInstance, parts: DeadLetterRouteParts): void {
  registerEndpoint(server, parts.authenticator, {
    method: 'POST',
    path: `${PATH}/:id/requeue`,
    tag: 'administration',
    summary: 'Puts a dead letter back into its queue; it is none any more',
    roles: ['admin'],
    params: PARAMS,
    answers: { 202: { description: 'The broker has it', schema: DEAD_LETTER_REQUEUED } },
    handle: async ({ params: { id } }) => {
      const { queue } = (await requeueDeadLetter(parts, id)) ?? notThere()
      return { id, queue }
    },
  })
}

function registerRemove(server: FastifyInstance, { authenticator, store }: DeadLetterRouteParts): void {
  registerEndpoint(server, authenticator, {
    method: 'DELETE',
    path: `${PATH}/:id`,
    tag: 'administration',
    summary: 'Throws a dead letter away',
    roles: ['admin'],
    params: PARAMS,
    answers: { 204: { description: 'It is gone' } },
    handle: async ({ params: { id } }) => {
      if (!(await store.deadLetters.remove(id))) notThere()
    },
  })
}

function notThere(): never {
  throw new RequestError(404, 'not-found', 'there is no such dead letter')
}

function countFitting(rows: readonly DeadLetterExcerpt[]): number {
  let length = 0
  const first = rows.findIndex(({ reason, headers, body }) => {
    length += reason.length + headers.join('').length + body.byteLength
    return length > PAGE_LENGTH
  })
  return first < 0 ? rows.length : Math.max(1, first)
}

function letterOf({ id, queue, reason, headers, body, bodyBytes, createdAt }: DeadLetterExcerpt): DeadLetter {
  const isCut = bodyBytes > body.byteLength
  const text = textOf(body, isCut)
  return {
    id,
    queue,
    reason,
    headers: recordOf(headers),
    body: text ?? Buffer.from(body).toString('base64'),
    encoding: text === undefined ? 'base64' : 'utf-8',
    bodyBytes,
    isCut,
    createdAt,
  }
}

/** Undefined where it is no UTF-8. What was cut may end within a character, which is left out. */
function textOf(body: Uint8Array, isCut: boolean): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body, { stream: isCut })
  } catch {
    return undefined
  }
}

/** Of a repeated name the first counts, as everywhere in STOMP. */
function recordOf(headers: DeadLetterExcerpt['headers']): Record<string, string> {
  const pairs: [string, string][] = []
  for (let i = headers.length - 2; i >= 0; i -= 2) pairs.push([headers[i] ?? '', headers[i + 1] ?? ''])
  return Object.fromEntries(pairs)
}
