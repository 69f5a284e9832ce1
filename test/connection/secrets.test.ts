import { once } from 'node:events'
import t from 'tap'
import { startProcess } from '../support/child-process.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET, testToken } from '../support/token.ts'

await t.test('no token and no password ever reaches the log', async (t) => {
  const relay = await startProcess(t, { LOG_LEVEL: 'trace', AUTH_JWT_SECRET: TEST_SECRET })
  const token = await testToken('alice', 'user')
  const bad = `${token.slice(0, -8)}badbadba`
  const admin = await testToken('root', 'admin')
  const passcode = 'hunter2-hunter2'

  for (const name of ['token', 'access_token']) {
    const client = await StompClient.open(t, `${relay.url}?${name}=${token}`)
    client.send('CONNECT', ['accept-version', '1.2'])
    t.ok(await client.next('CONNECTED'), name)
    client.sendRaw('NONSENSE\n\n\0')
    await client.closed
    const refused = await StompClient.open(t, `${relay.url}?${name}=${bad}`)
    refused.send('CONNECT', ['accept-version', '1.2'])
    t.equal((await refused.closed).code, 1002)
    await t.rejects(StompClient.open(t, `${relay.url}/nowhere?${name}=${token}`))
    await fetch(`${relay.address}/ws?${name}=${token}`)
  }
  const byHeader = await StompClient.open(t, relay.url, { headers: { authorization: `Bearer ${token}` } })
  byHeader.send('CONNECT', ['accept-version', '1.2'])
  await byHeader.next('CONNECTED')
  const byFrame = await StompClient.open(t, relay.url)
  byFrame.send('CONNECT', ['accept-version', '1.2', 'Authorization', `Bearer ${token}`])
  await byFrame.next('CONNECTED')
  byFrame.send('SEND', ['destination', '/app/messages', 'Authorization', `Bearer ${token}`], 'no json')
  await byFrame.closed
  const wrong = await StompClient.open(t, relay.url)
  wrong.send('CONNECT', ['accept-version', '1.2', 'login', 'alice', 'passcode', passcode])
  await wrong.closed
  for (const authorization of [`Bearer ${admin}`, `Bearer ${bad}`, `Basic ${passcode}`]) {
    await fetch(`${relay.address}/api/v1/admin/broadcasts?token=${token}`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{"title":',
    })
  }
  relay.child.kill('SIGTERM')
  t.equal(await relay.exited, 0)

  const output = relay.output()
  t.match(output, '"event":"listening"', 'there is a log')
  for (const secret of [token, bad, admin, passcode, TEST_SECRET]) {
    t.notOk(output.includes(secret), `${secret.slice(0, 10)}…`)
    t.notOk(output.includes(secret.slice(-20)), 'nor the end of it')
  }
})

await t.test('stops in order when it is asked to, and says so', async (t) => {
  const relay = await startProcess(t)
  const client = await StompClient.connect(t, relay.url, { login: 'alice' })
  const gone = once(relay.child, 'exit')
  relay.child.kill('SIGINT')
  t.match(await client.closed, { code: 1001 })
  await gone
  t.equal(await relay.exited, 0)
  t.match(await relay.logged('stopping'), { signal: 'SIGINT' })
  t.match(await relay.logged('stopped'), { level: 'info' })
  t.match(relay.output(), /stomp-relay serves http:\/\/127\.0\.0\.1:\d+/, 'and greeted a person before')
})
