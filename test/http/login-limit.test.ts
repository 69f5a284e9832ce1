import t from 'tap'
import { LOGIN_PATHS, registerLoginLimit } from '../../src/http/edge/login-limit.ts'
import { createServer } from '../../src/http/server.ts'
import { Attempts } from '../../src/lib/attempts.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

function rig(t: Teardown, max: number) {
  const server = createServer(createLog({ level: 'silent', nodeId: 'test' }), { trustProxy: ['127.0.0.1'] })
  t.teardown(() => server.close())
  const logins = new Attempts({ max })
  let handled = 0
  registerLoginLimit(server, {
    logins,
    allowedOrigins: ['https://app.example.com'],
    metrics: createMetrics(),
  })
  for (const path of [...LOGIN_PATHS, '/elsewhere']) {
    server.post(path, async () => ({ handled: ++handled }))
  }
  const post = async (url: string, from = '192.0.2.1', headers: Record<string, string> = {}) =>
    server.inject({ method: 'POST', url, headers: { 'x-forwarded-for': from, ...headers }, payload: {} })
  return { logins, post, handledCount: () => handled }
}

await t.test('bounds the logins of an address over all its paths, before they are handled', async (t) => {
  const { post, handledCount } = rig(t, 2)
  for (const path of LOGIN_PATHS) t.equal((await post(path)).statusCode, 200, path)
  for (const path of LOGIN_PATHS) {
    const response = await post(path)
    t.equal(response.statusCode, 429, path)
    t.match(response.headers['content-type'], 'application/problem+json')
    t.match(response.json(), { status: 429, code: 'too-many-logins' })
    const seconds = Number(response.headers['retry-after'])
    t.ok(seconds >= 1 && seconds <= 60)
  }
  t.equal(handledCount(), 2)
  t.equal((await post('/api/v1/auth/login', '192.0.2.2')).statusCode, 200, 'others may')
  t.equal((await post('/elsewhere')).statusCode, 200)
})

await t.test('counts nothing that a page of another site sends', async (t) => {
  const { post, handledCount } = rig(t, 1)
  for (const origin of ['https://evil.example', 'null', 'https://evil.example', 'http://localhost:1']) {
    const response = await post('/api/v1/auth/login', '192.0.2.1', { origin })
    t.match(response.json(), { status: 403, code: 'origin-not-allowed' }, origin)
  }
  t.equal(handledCount(), 0)
  const ours = { origin: 'https://app.example.com' }
  t.equal((await post('/api/v1/auth/login', '192.0.2.1', ours)).statusCode, 200)
  t.equal((await post('/api/v1/auth/login', '192.0.2.1', ours)).statusCode, 429)
})

await t.test('counts what was guessed elsewhere', async (t) => {
  const { logins, post } = rig(t, 1)
  logins.count('192.0.2.1')
  t.equal((await post('/api/v1/auth/login')).statusCode, 429)
})
