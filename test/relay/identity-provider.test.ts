import t from 'tap'
import { startRelay } from '../../src/relay.ts'
import { readConfig } from '../../src/config/config.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { runProgram } from '../support/child-process.ts'
import {
  AUDIENCE,
  IdentityProvider,
  ISSUER,
  providerKey,
  providerToken,
} from '../support/identity-provider.ts'
import { temporaryFolder, useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'

t.setTimeout(120_000)

const key = await providerKey('ES256', 'first')
const provider = await IdentityProvider.open(t, [key.jwk])
const env = { AUTH_JWKS_URL: provider.url, AUTH_JWT_ISSUER: ISSUER, AUTH_JWT_AUDIENCE: AUDIENCE }
const relay = await useRelay(t, env)

async function connect(headers: readonly string[]): Promise<string> {
  const client = await StompClient.open(t, relay.url)
  client.send('CONNECT', ['accept-version', '1.2', ...headers])
  const answer = await Promise.race([client.next('CONNECTED'), client.next('ERROR')])
  client.webSocket.terminate()
  return answer.command
}

await t.test('lets in whom the provider vouches for, by every door', async (t) => {
  const token = await providerToken(key, 'carl')
  t.equal(await connect(['Authorization', `Bearer ${token}`]), 'CONNECTED')
  const poll = `${relay.address}/api/v1/notifications/poll`
  t.equal((await fetch(poll, { headers: { authorization: `Bearer ${token}` } })).status, 200)
  t.equal((await fetch(`${poll}?token=${token}`)).status, 200)
  const admin = await providerToken(key, 'root', { claims: { roles: ['admin'] } })
  const sessions = `${relay.address}/api/v1/sessions`
  t.equal((await fetch(sessions, { headers: { authorization: `Bearer ${admin}` } })).status, 200)
  t.equal((await fetch(sessions, { headers: { authorization: `Bearer ${token}` } })).status, 403)
})

await t.test('has no accounts of its own', async (t) => {
  t.equal(await connect(['login', 'alice', 'passcode', 'alice']), 'ERROR')
  for (const name of ['register', 'login', 'refresh', 'logout']) {
    const answer = await fetch(`${relay.address}/api/v1/auth/${name}`, { method: 'POST' })
    t.equal(answer.status, 404, name)
    t.match(await answer.json(), { code: 'not-found', detail: /identity provider/ })
  }
  const token = ['src/cli.ts', 'token', '--user', 'alice', '--role', 'admin']
  const { code, stderr } = await runProgram(t, token, {
    env: { ...env, DATABASE_URL: `sqlite:${await temporaryFolder(t)}/relay.db` },
  })
  t.equal(code, 78)
  t.match(stderr, /AUTH_JWKS_URL is set/)
})

await t.test('serves whom it knows while the provider is away, and refuses others', async (t) => {
  await provider.leave()
  t.teardown(() => provider.comeBack())
  t.equal(await connect(['Authorization', `Bearer ${await providerToken(key, 'carl')}`]), 'CONNECTED')
  const next = await providerKey('RS256', 'next')
  t.equal(await connect(['Authorization', `Bearer ${await providerToken(next, 'carl')}`]), 'ERROR')
})

await t.test('starts without the provider', async (t) => {
  const other = await IdentityProvider.open(t, [key.jwk])
  await other.leave()
  const config = readConfig({
    ...env,
    AUTH_JWKS_URL: other.url,
    PORT: '0',
    DATABASE_URL: `sqlite:${await temporaryFolder(t)}/relay.db`,
    DRAIN_MS: '0',
  })
  const late = await startRelay(config, createLog({ level: 'silent', nodeId: 'late' }))
  t.teardown(() => late.close())
  t.equal((await fetch(`${late.address}/healthz`)).status, 200)
})
