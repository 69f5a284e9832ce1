import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { MessageError, RequestError } from '../../src/errors.ts'
import { problemOf } from '../../src/http/problem.ts'
import { createServer } from '../../src/http/server.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { useRelay } from '../support/relay.ts'

await t.test('tells what was refused, and nothing of what went wrong inside', async (t) => {
  for (const [error, expected] of [
    [new RequestError(409, 'conflict', 'taken'), { status: 409, code: 'conflict', detail: 'taken' }],
    [new MessageError('forbidden', 'no'), { status: 403, code: 'forbidden', title: 'Forbidden' }],
    [new MessageError('not-found', 'no'), { status: 404 }],
    [new MessageError('invalid-payload', 'no'), { status: 400 }],
    [new MessageError('store-unavailable', 'away'), { status: 503, title: 'Service Unavailable' }],
    [new MessageError('broker-unavailable', 'away'), { status: 503 }],
    [new MessageError('too-many-pending', 'full'), { status: 503 }],
    [new MessageError('internal', 'no'), { status: 500 }],
    [new Error('secret'), { status: 500, code: 'internal', detail: 'internal error id-1' }],
    ['secret', { status: 500, detail: 'internal error id-1' }],
    [undefined, { status: 500 }],
    [Object.assign(new Error('secret'), { statusCode: 502 }), { status: 500, detail: 'internal error id-1' }],
    [Object.assign(new Error('too big'), { statusCode: 413 }), { status: 413, code: 'invalid-request' }],
    [{ statusCode: 400 }, { status: 400, detail: 'invalid request' }],
  ] as const) {
    t.match(problemOf(error, 'id-1'), { type: 'about:blank', ...expected })
    t.notMatch(JSON.stringify(problemOf(error, 'id-1')), /secret/)
  }
})

await t.test('says when to come back where there was too much of something', async (t) => {
  const server = createServer(createLog({ level: 'silent', nodeId: 'test' }))
  t.teardown(() => server.close())
  server.get('/', () => {
    throw new MessageError('rate-limited', 'too many')
  })
  server.get('/sooner', async (_request, reply) => {
    void reply.header('retry-after', 7)
    throw new RequestError(429, 'too-many', 'too many')
  })
  t.match(await server.inject('/'), { statusCode: 429, headers: { 'retry-after': '60' } })
  t.match(await server.inject('/sooner'), { statusCode: 429, headers: { 'retry-after': '7' } })
})

await t.test('answers by problem details where nothing is, or nothing of that method', async (t) => {
  const { address } = await useRelay(t)
  for (const [method, path] of [
    ['GET', '/nowhere'],
    ['GET', '/api/v1/admin/broadcasts'],
    ['DELETE', '/healthz'],
    ['POST', '/ws'],
    ['GET', '/%zz'],
  ] as const) {
    const response = await fetch(address + path, { method })
    const status = path === '/%zz' ? 400 : 404
    t.equal(response.status, status, `${method} ${path}`)
    t.match(response.headers.get('content-type'), /^application\/problem\+json/, `${method} ${path}`)
    t.match(await response.json(), { type: 'about:blank', status })
  }
})

await t.test('answers by problem details what is no HTTP, and hangs up', async (t) => {
  const { address } = await useRelay(t)
  for (const [text, status] of [
    ['NONSENSE\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ] as const) {
    const socket = connect(Number(new URL(address).port), '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.setEncoding('utf8')
    let answer = ''
    socket.on('data', (chunk: string) => (answer += chunk))
    socket.write(text)
    await once(socket, 'end')
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    t.match(head, new RegExp(`^HTTP/1\\.1 ${status} `))
    t.match(head, /content-type: application\/problem\+json/)
    t.match(JSON.parse(body), { type: 'about:blank', status })
  }
})

await t.test('logs what it answers 500 to under the id that the caller gets', async (t) => {
  const lines: string[] = []
  const log = createLog({ level: 'error', nodeId: 'n' })
  // What pino was given, before it goes to standard output.
  log.error = (fields: unknown) => void lines.push(JSON.stringify(fields))
  const server = createServer(log)
  t.teardown(() => server.close())
  server.get('/fails/:id', () => Promise.reject(new Error('the disk is on fire')))
  const { statusCode, body } = await server.inject('/fails/1?token=hunter2')
  t.equal(statusCode, 500)
  const { detail } = JSON.parse(body) as { detail: string }
  t.match(detail, /^internal error [0-9a-f-]{36}$/)
  t.equal(lines.length, 1)
  t.match(lines[0], detail.slice('internal error '.length))
  t.match(lines[0], 'GET /fails/:id')
  t.notMatch(lines[0], 'hunter2')
  t.notMatch(body, 'fire')
})
