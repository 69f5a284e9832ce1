import type { FastifySchema } from 'fastify'
import { Type, type TObject, type TSchema } from 'typebox'
import type { Role } from '../../auth/principal.ts'
import { exampleOf } from '../../../protocol/example.ts'
import { PROBLEM } from '../../../protocol/payload/problem.ts'

/** What an operation answers where all went well. */
export interface Answer {
  readonly description: string
  /** Missing where there is no body. */
  readonly schema?: TSchema
  /** Default `application/json`. */
  readonly contentType?: string
}

/** What `/openapi.json` says of an operation of the API. */
export interface Described {
  /** Groups the operations. */
  readonly tag: Tag
  readonly summary: string
  /** Who may; missing: whoever has a token; `anybody`: no token is asked for. */
  readonly roles?: readonly Role[] | 'anybody'
  /** The variables of the path. What does not fit names nothing: 404. */
  readonly params?: TObject
  readonly query?: TObject
  readonly body?: TSchema
  /** By status. */
  readonly answers: Readonly<Record<number, Answer>>
  /** Statuses of problem details besides those that follow from the above. */
  readonly problems?: readonly number[]
}

/** The groups, with what `/docs` says of them. */
export const TAGS = {
  accounts: 'Who one is: registering, logging in, tokens',
  chat: 'Rooms, private messages, people',
  notifications: 'Notifications of a user, and the feed by which they come',
  orders: 'Orders and their history',
  operations: 'Long operations: started, watched, cancelled, their results',
  administration: 'For administrators, across all nodes',
  operators: 'For whoever runs the nodes',
} as const

export type Tag = keyof typeof TAGS

const WHAT: Readonly<Record<number, string>> = {
  400: 'Something in the request does not fit its schema; `detail` names it',
  401: 'No valid bearer token',
  403: 'For others',
  404: 'Not there, or not for the caller to see',
  409: 'Does not go with what is there',
  413: 'Too large',
  503: 'Not now',
}

const PROBLEM_CONTENT = {
  'application/problem+json': { schema: PROBLEM, example: exampleOf(PROBLEM) },
}

/** As Fastify and `@fastify/swagger` take it. Nothing of it checks requests: `registerEndpoint` does. */
export function schemaOf(described: Described): FastifySchema {
  const { tag, summary, roles, params, query, body } = described
  const whose = typeof roles === 'object' ? `For ${roles.join(' and ')}.` : undefined
  return {
    tags: [tag],
    summary,
    ...(whose !== undefined && { description: whose }),
    ...(roles === 'anybody' && { security: [] }),
    ...(params !== undefined && { params }),
    ...(query !== undefined && { querystring: query }),
    ...(body !== undefined && { body: withExample(body) }),
    response: { ...problemsOf(described), ...answersOf(described) },
  }
}

/** One example of the whole, where only its parts have some. */
function withExample(schema: TSchema): TSchema {
  return { ...schema, examples: [exampleOf(schema)] }
}

function answersOf({ answers }: Described): Record<string, unknown> {
  return Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, contentOf(answer)]))
}

function contentOf({ description, schema, contentType = 'application/json' }: Answer): unknown {
  if (schema === undefined) return { ...Type.Null(), description }
  return { description, content: { [contentType]: { schema, example: exampleOf(schema) } } }
}

function problemsOf({ roles, params, query, body, problems = [] }: Described): Record<string, unknown> {
  const statuses = new Set(problems)
  if (query !== undefined || body !== undefined) statuses.add(400)
  if (roles !== 'anybody') statuses.add(401)
  if (typeof roles === 'object') statuses.add(403)
  if (params !== undefined) statuses.add(404)
  const named = [...statuses].map((status) => [
    status,
    { description: WHAT[status] ?? 'Refused', content: PROBLEM_CONTENT },
  ])
  const rest = { description: 'Limits, overload, faults of the server', content: PROBLEM_CONTENT }
  return { ...Object.fromEntries(named), default: rest }
}
