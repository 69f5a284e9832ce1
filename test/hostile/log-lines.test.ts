import t from 'tap'
import { startProcess } from '../support/child-process.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'

/** What would end a line of the log, begin another, or move the cursor of whoever reads it. */
const EVIL = '\n{"level":"fatal","event":"forged"}\r\u001b[2J\u009b31m\u202e\u2028\u0007\b'

await t.test('whatever clients call things, a line of the log stays one line of plain JSON', async (t) => {
  const relay = await startProcess(t, { LOG_LEVEL: 'trace', AUTH_JWT_SECRET: TEST_SECRET })
  const headers = { 'user-agent': `evil${EVIL.replaceAll(/[^ -~]/g, '\u00ff')}`, origin: 'http://evil.example' }
  await StompClient.open(t, relay.url, { headers }).catch(() => undefined)
  const service = await StompClient.connect(t, relay.url, { login: 'orders' })
  await service.subscribe('errors', '/user/queue/errors')
  const frames = [
    ['SUBSCRIBE', ['id', EVIL, 'destination', `/topic/${EVIL}`]],
    ['SUBSCRIBE', ['id', 'x', 'destination', `/nowhere/${EVIL}`]],
    ['SEND', ['destination', `/app/${EVIL}`]],
    ['SEND', ['destination', `/app/rooms/${EVIL}/messages`]],
    ['SEND', ['destination', '/queue/user', 'x-evil', EVIL]],
    ['BEGIN', ['transaction', EVIL]],
  ] as const
  for (const [command, list] of frames) service.send(command, [...list, 'receipt', 'r'], command === 'SEND' ? EVIL : undefined)
  // What the parser says of it, which the log keeps, quotes it.
  service.send('SEND', ['destination', '/app/messages'], '\u009b31m\u202e\u2028')
  await relay.logged('refused')
  const order = JSON.stringify({ orderId: EVIL, userId: EVIL, status: EVIL, note: EVIL })
  await service.ask('SEND', ['destination', '/queue/user'], order)
  await relay.logged('dead-letter')
  service.send('UNSUBSCRIBE', ['id', `${EVIL}none`])
  await service.closed
  const wrong = await StompClient.open(t, relay.url)
  wrong.send('CONNECT', ['accept-version', '1.2', 'login', EVIL, 'passcode', EVIL])
  await wrong.closed
  const raw = await StompClient.open(t, relay.url)
  raw.sendRaw(`EVIL${EVIL}\n\n\0`)
  await raw.closed
  const authorization = `Bearer ${await testToken('root', 'admin')}`
  for (const path of ['/api/v1/sessions/', '/api/v1/rooms/', '/']) {
    await fetch(`${relay.address}${path}${encodeURIComponent(EVIL)}`, { method: 'DELETE', headers: { authorization } })
  }
  relay.child.kill('SIGTERM')
  t.equal(await relay.exited, 0)

  const lines = relay.output().split('\n').filter((line) => line.startsWith('{'))
  t.ok(lines.length > 3, `${lines.length} lines`)
  t.ok(lines.some((line) => line.includes('"event":"dead-letter"')), 'some tell of what clients did')
  for (const line of lines) {
    // oxlint-disable-next-line no-control-regex -- these are what is looked for
    t.notMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028\u202e]/)
    t.not((JSON.parse(line) as { event?: string }).event, 'forged')
  }
}) // prettier-ignore
