import * as fc from 'fast-check'
import { awkwardJson, awkwardText } from './awkward.ts'

/** One HTTP request as bytes, and what is sent behind it. */
export interface HttpRequest {
  readonly bytes: Buffer
}

/** Paths of the API, of the operator and of nobody; `{}` is anything. */
const PATHS = [
  '/', '/healthz', '/readyz', '/metrics', '/ws', '/ws/info', '/ws/000/abc/websocket', '/openapi.json', '/docs',
  '/api/v1/sessions', '/api/v1/sessions/{}', '/api/v1/nodes', '/api/v1/rooms/{}/participants',
  '/api/v1/notifications/poll', '/api/v1/notifications/stream/{}', '/api/v1/notifications/status',
  '/api/v1/admin/broadcasts', '/api/v1/notifications/broadcast', '/api/v1/auth/login', '/api/v1/auth/register',
  '/api/v1/auth/refresh', '/api/v1/orders/{}', '/api/v1/rooms/{}/messages', '/{}', '/api/v1/{}',
] // prettier-ignore

const QUERY = [
  'limit',
  'cursor',
  'wait',
  'after',
  'token',
  'access_token',
  'lastEventId',
  'user',
  '__proto__',
  'a[b]',
]

const HEADERS = [
  'accept', 'content-type', 'content-length', 'transfer-encoding', 'connection', 'upgrade', 'origin', 'cookie',
  'last-event-id', 'x-forwarded-for', 'expect', 'host', 'authorization', 'if-none-match', 'range', 'user-agent',
  'sec-websocket-key', 'sec-websocket-version', 'x-http-method-override', '__proto__', 'constructor',
] // prettier-ignore

const VALUES = ['application/json', 'text/event-stream', '*/*', 'chunked', 'close', 'keep-alive', 'Upgrade', 'websocket',
  '0', '-1', '5', '99999999999', '13', 'dGhlIHNhbXBsZSBub25jZQ==', '100-continue', 'http://evil.example', 'Bearer x',
] // prettier-ignore

/** Lone surrogates, which a URL cannot hold, are replaced. */
const encoded = (text: string): string => encodeURIComponent(Buffer.from(text).toString())

const path = fc.tuple(fc.constantFrom(...PATHS), awkwardText, fc.boolean()).map(([form, text, isEncoded]) =>
  form.replace('{}', () => (isEncoded ? encoded(text) : text)),
) // prettier-ignore

const query = fc.array(fc.tuple(fc.constantFrom(...QUERY), awkwardText), { maxLength: 3 }).map((pairs) => {
  // A poll that waits would only wait.
  const all = [...pairs, ['wait', '0']]
  return all.map(([name, value]) => `${name}=${encoded(value!)}`).join('&')
})

const field = fc.tuple(
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...HEADERS) }, { weight: 1, arbitrary: awkwardText }),
  fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...VALUES) }, { weight: 2, arbitrary: awkwardText }),
)

const METHODS = [
  'GET',
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'HEAD',
  'TRACE',
  'CONNECT',
  'BREW',
  'get',
]

/**
 * Requests by the table of routes, of which any part may be wrong. The last header asks for an end, so that
 * each gets its answer and is over.
 *
 * @param tokens of people who may try it, besides nobody
 */
export function httpRequest(tokens: readonly string[]): fc.Arbitrary<HttpRequest> {
  return fc
    .record({
      method: fc.constantFrom(...METHODS),
      path,
      query,
      fields: fc.array(field, { maxLength: 4 }),
      token: fc.constantFrom(undefined, ...tokens),
      body: fc.option(awkwardJson, { nil: undefined }),
      isJson: fc.boolean(),
    })
    .map(({ method, path: target, query: search, fields, token, body, isJson }) => {
      const lines = [
        `${method} ${target}?${search} HTTP/1.1`,
        'Host: 127.0.0.1',
        ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
        ...(isJson ? ['Content-Type: application/json'] : []),
        ...fields.map(([name, value]) => `${name}: ${value}`),
        ...(body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
        'Connection: close',
      ]
      return { bytes: Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`) }
    })
}
