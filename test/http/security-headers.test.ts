import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { useRelay } from '../support/relay.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'

/** What is answered to these very bytes, on a connection of its own. */
async function answerTo(address: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(address)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  socket.end(bytes)
  await once(socket, 'close')
  return text.toLowerCase()
}

await t.test('tells browsers on every answer what not to do with it', async (t) => {
  const { address } = await useRelay(t)
  for (const [path, status] of [
    ['/', 200],
    ['/healthz', 200],
    ['/metrics', 200],
    ['/nothing/here', 404],
    ['/ws', 426],
    ['/api/v1/sessions', 401],
    ['/api/v1/notifications/stream', 401],
    ['/%zz', 400],
  ] as const) {
    const answer = await fetch(`${address}${path}`)
    t.equal(answer.status, status, path)
    t.equal(answer.headers.get('x-content-type-options'), 'nosniff', path)
    t.equal(answer.headers.get('referrer-policy'), 'no-referrer', path)
    const policy = answer.headers.get('content-security-policy') ?? ''
    t.match(policy, /default-src 'none'/, path)
    t.match(policy, /frame-ancestors 'none'/, path)
    t.notMatch(policy, /unsafe|\*|data:|https:/, path)
    t.equal(answer.headers.get('strict-transport-security'), null, 'that is for who speaks TLS')
  }
})

await t.test('tells them also where there is no request to answer', async (t) => {
  const { address } = await useRelay(t)
  for (const bytes of ['nonsense\r\n\r\n', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`]) {
    const answer = await answerTo(address, bytes)
    t.match(answer, /^http\/1.1 4\d\d /)
    t.match(answer, "content-security-policy: default-src 'none'; frame-ancestors 'none'")
    t.match(answer, 'x-content-type-options: nosniff')
  }
})

await t.test('tells them also at the head of an event stream', async (t) => {
  const { address } = await useRelay(t, { AUTH_JWT_SECRET: TEST_SECRET })
  const leaving = new AbortController()
  t.teardown(() => leaving.abort())
  const response = await fetch(`${address}/api/v1/notifications/stream`, {
    headers: { authorization: `Bearer ${await testToken('alice', 'user')}` },
    signal: leaving.signal,
  })
  t.equal(response.status, 200)
  t.match(response.headers.get('content-type'), 'text/event-stream')
  t.match(response.headers.get('content-security-policy'), /default-src 'none'/)
  t.equal(response.headers.get('x-content-type-options'), 'nosniff')
})
