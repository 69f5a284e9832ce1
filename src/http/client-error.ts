import type { Socket } from 'node:net'
import type { ConnectionError } from 'fastify'
import { RequestError } from '../errors.ts'
import { BARE_SECURITY_HEADERS } from './edge/security-headers.ts'
import { problemOf, PROBLEM_TYPE } from './problem.ts'

const REFUSALS: Readonly<Record<string, RequestError>> = {
  ERR_HTTP_REQUEST_TIMEOUT: new RequestError(408, 'request-timeout', 'the request did not come in time'),
  HPE_HEADER_OVERFLOW: new RequestError(431, 'headers-too-large', 'the headers are too large'),
}
const NOT_HTTP = new RequestError(400, 'invalid-request', 'this is no HTTP request')

/** Answers what Node cannot parse, for which there is neither request nor reply, and hangs up. */
export function answerClientError(error: ConnectionError, socket: Socket): void {
  if (error.code !== 'ECONNRESET' && socket.writable) {
    const problem = problemOf(REFUSALS[error.code] ?? NOT_HTTP, '')
    const body = JSON.stringify(problem)
    const head = [
      `HTTP/1.1 ${problem.status} ${problem.title}`,
      `content-type: ${PROBLEM_TYPE}`,
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      ...Object.entries(BARE_SECURITY_HEADERS).map(([name, value]) => `${name}: ${value}`),
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  }
  socket.destroySoon()
}
