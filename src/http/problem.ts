import { STATUS_CODES } from 'node:http'
import { MessageError, RequestError, type FaultCode } from '../errors.ts'

/** Problem details (RFC 9457), what every HTTP error of ours is. */
export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  /** For programs; the same codes as in `/user/queue/errors`. */
  readonly code: string
  /** For people. */
  readonly detail: string
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

const STATUS: Readonly<Partial<Record<FaultCode, number>>> = {
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'invalid-payload': 400,
  'invalid-header': 400,
  'invalid-destination': 400,
  'rate-limited': 429,
  'too-many-pending': 503,
  'store-unavailable': 503,
  'broker-unavailable': 503,
}

/**
 * What a caller is told of an error: ours speak for themselves, as do Fastify's refusals of a request
 * (4xx); anything else is an internal error of which the caller gets an id.
 */
export function problemOf(error: unknown, errorId: string): Problem {
  if (error instanceof RequestError) return problem(error.statusCode, error.code, error.message)
  if (error instanceof MessageError) return problem(STATUS[error.code] ?? 500, error.code, error.message)
  const status = statusCodeOf(error)
  if (status >= 400 && status < 500) {
    return problem(status, 'invalid-request', error instanceof Error ? error.message : 'invalid request')
  }
  return problem(500, 'internal', `internal error ${errorId}`)
}

function problem(status: number, code: string, detail: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, code, detail }
}

function statusCodeOf(error: unknown): number {
  const isObject = typeof error === 'object' && error !== null
  return isObject && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
}
