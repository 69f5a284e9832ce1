import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { ApiClient, type ApiAnswer } from '../support/api-client.ts'
import type { Service } from '../support/service-rig.ts'
import { StompClient } from '../support/stomp-client.ts'

const PASSWORD = 'correct horse battery'

/** CONTRACT, section 3: built-in accounts. */
export async function accounts(t: Test, { west, east }: Service): Promise<void> {
  const there = ApiClient.nobody(west)
  const here = ApiClient.nobody(east)
  const newName = (): string => `u-${randomUUID().slice(0, 8)}`
  const register = async (username = newName()): Promise<ApiAnswer> =>
    there.post('/auth/register', { username, password: PASSWORD })
  const problem = (t: Test, { status, body }: ApiAnswer, expected: number, code: string): void => {
    t.match({ status, code: body['code'] }, { status: expected, code })
  }

  await t.test('POST /auth/register makes an account that is good at every node', async (t) => {
    const username = newName()
    const answer = await register(username)
    t.match(answer, { status: 201, body: { expiresIn: 900, user: { name: username, roles: ['user'] } } })
    const headers = { authorization: `Bearer ${String(answer.body['accessToken'])}` }
    const client = await StompClient.open(t, east.url, { headers })
    client.send('CONNECT', ['accept-version', '1.2'])
    await client.next('CONNECTED')
    problem(t, await register(username), 409, 'conflict')
    for (const body of [undefined, {}, { username: 'a b', password: PASSWORD }, { username: newName() }]) {
      problem(t, await there.post('/auth/register', body), 400, 'invalid-payload')
    }
  })

  await t.test('POST /auth/login knows the password, at every node', async (t) => {
    const username = newName()
    await register(username)
    t.match(await here.post('/auth/login', { username, password: PASSWORD }), {
      status: 200,
      body: { user: { name: username } },
    })
    problem(t, await here.post('/auth/login', { username, password: 'wrong' }), 401, 'unauthenticated')
    problem(
      t,
      await here.post('/auth/login', { username: newName(), password: PASSWORD }),
      401,
      'unauthenticated',
    )
    problem(t, await here.post('/auth/login', { username }), 400, 'invalid-payload')
  })

  await t.test('POST /auth/refresh exchanges a token once', async (t) => {
    const { refreshToken } = (await register()).body
    const next = await here.post('/auth/refresh', { refreshToken })
    t.equal(next.status, 200)
    problem(t, await there.post('/auth/refresh', { refreshToken }), 401, 'unauthenticated')
    const stolen = await here.post('/auth/refresh', { refreshToken: next.body['refreshToken'] })
    problem(t, stolen, 401, 'unauthenticated')
    problem(t, await here.post('/auth/refresh', {}), 400, 'invalid-payload')
  })

  await t.test('POST /auth/logout ends sessions at every node', async (t) => {
    const { accessToken } = (await register()).body
    const client = await StompClient.open(t, east.url)
    client.send('CONNECT', ['accept-version', '1.2', 'Authorization', `Bearer ${String(accessToken)}`])
    await client.next('CONNECTED')
    const self = ApiClient.with(west, String(accessToken))
    problem(t, await self.post('/auth/logout', { everywhere: 'yes' }), 400, 'invalid-payload')
    t.equal((await self.post('/auth/logout')).status, 204)
    await client.closed
    problem(t, await self.post('/auth/logout'), 401, 'unauthenticated')
    problem(t, await (await ApiClient.as(west, 'alice')).post('/auth/logout'), 409, 'conflict')
  })

  await t.test('SEND /app/session/token prolongs a session, but not as somebody else', async (t) => {
    const { body } = await register()
    const client = await StompClient.open(t, east.url)
    client.send('CONNECT', [
      'accept-version',
      '1.2',
      'Authorization',
      `Bearer ${String(body['accessToken'])}`,
    ])
    await client.next('CONNECTED')
    await client.subscribe('e', '/user/queue/errors')
    const fresh = await here.post('/auth/refresh', { refreshToken: body['refreshToken'] })
    const send = ['destination', '/app/session/token']
    await client.ask('SEND', send, JSON.stringify({ token: fresh.body['accessToken'] }))
    const { token } = await ApiClient.as(east, 'mallory')
    client.send('SEND', send, JSON.stringify({ token }))
    t.match((await client.message('e')).payload, { destination: '/app/session/token' })
    client.send('SEND', send, '{}')
    t.match((await client.message('e')).payload, { code: 'invalid-payload' })
  })
}
