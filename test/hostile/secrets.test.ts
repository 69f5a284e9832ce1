import { inspect } from 'node:util'
import t from 'tap'
import { openStore } from '../../src/store/kysely/open-store.ts'
import { runProgram, startProcess } from '../support/child-process.ts'
import { SseReader } from '../support/sse-reader.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'

const PASSWORDS = { stomp: 'stomp-hunter2', amqp: 'amqp-hunter2', database: 'database-hunter2' }
/** Nothing listens there. */
const NOWHERE = '127.0.0.1:1'

const BROKER = {
  RABBITMQ_STOMP_URL: `stomp://relay:${PASSWORDS.stomp}@${NOWHERE}/%2F`,
  RABBITMQ_AMQP_URL: `amqp://relay:${PASSWORDS.amqp}@${NOWHERE}/%2F`,
}

// Four processes have to start.
t.setTimeout(240_000)

await t.test('no token and no passcode gets out, whatever fails and whoever asks', async (t) => {
  const relay = await startProcess(t, { LOG_LEVEL: 'trace', AUTH_JWT_SECRET: TEST_SECRET })
  const token = await testToken('alice', 'user')
  const admin = await testToken('root', 'admin')
  const stale = `${token.slice(0, -8)}badbadba`
  const asAdmin = { authorization: `Bearer ${admin}` }
  const said: string[] = []
  const ask = async (path: string, init?: RequestInit): Promise<void> => {
    const response = await fetch(`${relay.address}${path}`, init)
    said.push(JSON.stringify([...response.headers]), await response.text())
  }
  for (const name of ['token', 'access_token']) {
    for (const value of [token, stale]) {
      await ask(`/api/v1/notifications/poll?wait=0&${name}=${value}`)
      await ask(`/api/v1/notifications/stream/x%20y?${name}=${value}`)
      await ask(`/api/v1/nowhere?${name}=${value}`)
      await ask(`/ws?${name}=${value}`)
      await ask(`/api/v1/sessions?limit=x&${name}=${value}`, { headers: asAdmin })
    }
  }
  const headers = { ...asAdmin, 'content-type': 'application/json' }
  await ask('/api/v1/admin/broadcasts', { method: 'POST', headers, body: '{"title":' })
  const alice = await StompClient.open(t, `${relay.url}?token=${token}`)
  alice.send('CONNECT', ['accept-version', '1.2', 'login', 'alice', 'passcode', 'passcode-hunter2'])
  await alice.next('CONNECTED')
  alice.send('SEND', [
    'destination',
    '/topic/x',
    'passcode',
    'passcode-hunter2',
    'Authorization',
    `Bearer ${token}`,
  ])
  await alice.closed
  const wrong = await StompClient.open(t, relay.url)
  wrong.send('CONNECT', ['accept-version', '1.2', 'login', 'alice', 'passcode', 'passcode-hunter2'])
  await wrong.closed
  for (const { inbox } of [alice, wrong]) {
    said.push(...inbox.map(({ headers: list, body }) => `${list.join(' ')} ${Buffer.from(body).toString()}`))
  }
  for (const path of ['/', '/healthz', '/readyz', '/metrics', '/api/v1/nodes', '/api/v1/sessions']) {
    await ask(path, { headers: asAdmin })
  }
  relay.child.kill('SIGTERM')
  await relay.exited

  t.match(relay.output(), '"event":"listening"', 'there is a log')
  t.match(said.join('\n'), 'stomp_relay', 'and there are metrics')
  const everything = `${relay.output()}\n${said.join('\n')}`
  for (const secret of ['passcode-hunter2', TEST_SECRET, token, stale, admin]) {
    t.notOk(everything.includes(secret.slice(-20)), `${secret.slice(0, 10)}…`)
  }
})

await t.test('no password of a broker gets out while it cannot be reached', async (t) => {
  const relay = await startProcess(t, { LOG_LEVEL: 'trace', AUTH_JWT_SECRET: TEST_SECRET, ...BROKER })
  const authorization = `Bearer ${await testToken('root', 'admin')}`
  const said: string[] = []
  for (const path of ['/', '/readyz', '/metrics', '/api/v1/nodes']) {
    said.push(await (await fetch(`${relay.address}${path}`, { headers: { authorization } })).text())
  }
  t.match(said.join(), 'ECONNREFUSED', 'it says why')
  await relay.kill()
  t.notMatch(`${relay.output()}${said.join()}`, 'hunter2')
})

await t.test('no token in a URL shows in a stream that it opened', async (t) => {
  const relay = await startProcess(t, { LOG_LEVEL: 'trace', AUTH_JWT_SECRET: TEST_SECRET })
  const token = await testToken('alice', 'user')
  const reader = await SseReader.open(t, `${relay.address}/api/v1/notifications/stream?token=${token}`)
  await reader.next()
  await relay.kill()
  await reader.ended
  const signature = token.slice(-20)
  t.notOk(`${relay.output()}${JSON.stringify(reader.events.items)}`.includes(signature))
})

await t.test('the password of a database that cannot be reached is told to nobody', async (t) => {
  for (const scheme of ['postgres', 'mysql']) {
    const url = `${scheme}://relay:${PASSWORDS.database}@${NOWHERE}/relay`
    const told: string[] = []
    const onWaiting = (where: string, why: string): void => void told.push(where, why)
    const opening = openStore({ url, nodeId: 'n', lock: true, waitMs: 1, onWaiting })
    const error = await opening.then(
      () => t.fail('there is no database'),
      (reason: unknown) => reason,
    )
    const everything = `${inspect(error, { depth: 9, showHidden: true })}${told.join()}`
    t.match(everything, 'ECONNREFUSED', scheme)
    t.notMatch(everything, 'hunter2', scheme)
  }
})

await t.test('settings that cannot be are named without what is secret in them', async (t) => {
  const env = {
    RABBITMQ_STOMP_URL: `http://relay:${PASSWORDS.stomp}@host/x`,
    RABBITMQ_AMQP_URL: `amqp://relay:${PASSWORDS.amqp}@host:99999999/%zz`,
    DATABASE_URL: `oracle://relay:${PASSWORDS.database}@host/x`,
    AUTH_JWT_SECRET: 'short-hunter2',
    PORT: 'x',
  }
  for (const args of [['src/main.ts'], ['src/cli.ts', 'check-config']]) {
    const { code, stdout, stderr } = await runProgram(t, args, { env })
    t.equal(code, 78, args.join(' '))
    t.match(`${stdout}${stderr}`, 'RABBITMQ_STOMP_URL')
    t.notMatch(`${stdout}${stderr}`, 'hunter2', args.join(' '))
  }
})
