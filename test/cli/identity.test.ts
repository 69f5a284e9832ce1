import { join } from 'node:path'
import t, { type Test } from 'tap'
import { header } from '../../protocol/frame.ts'
import { runProgram, startProcess, type Ended } from '../support/child-process.ts'
import { temporaryFolder, useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { TEST_SECRET } from '../support/token.ts'

const CLI = 'src/cli.ts'

async function tokenOf(t: Test, args: readonly string[], env: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await runProgram(t, [CLI, 'token', ...args], { env })
  t.match({ code, stderr }, { code: 0, stderr: '' })
  return stdout.trim()
}

async function connectWith(t: Test, url: string, token: string): Promise<StompClient> {
  const client = await StompClient.open(t, url)
  client.send('CONNECT', ['accept-version', '1.2', 'Authorization', `Bearer ${token}`])
  return client
}

await t.test('a token is good for the server that runs on the same database', async (t) => {
  const DATABASE_URL = `sqlite:${join(await temporaryFolder(t), 'relay.db')}`
  const relay = await startProcess(t, { DATABASE_URL })
  const token = await tokenOf(t, ['--user', 'carol', '--role', 'user'], { DATABASE_URL })
  const carol = await connectWith(t, relay.url, token)
  t.equal(header((await carol.next('CONNECTED')).headers, 'user-name'), 'carol')
  const stranger = await useRelay(t)
  t.match(
    header((await (await connectWith(t, stranger.url, token)).next('ERROR')).headers, 'message'),
    'authentication failed',
    'and for no other',
  )
})

await t.test(
  'a token is good for every server with the same secret, and has the roles it was given',
  async (t) => {
    const env = { AUTH_JWT_SECRET: TEST_SECRET }
    const relay = await useRelay(t, env)
    const DATABASE_URL = `sqlite:${join(await temporaryFolder(t), 'other.db')}`
    const args = ['--user', 'root', '--role', 'admin', '--role', 'user', '--minutes', '1']
    const token = await tokenOf(t, args, { ...env, DATABASE_URL })
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      exp: number
      iat: number
    }
    t.match(claims, { sub: 'root', roles: ['admin', 'user'] })
    t.equal(claims.exp - claims.iat, 60)
    const response = await fetch(`${relay.address}/api/v1/admin/broadcasts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"title":"a","message":"b"}',
    })
    t.equal(response.status, 202)
  },
)

await t.test('an account is made beside a running server, and may log in there', async (t) => {
  const relay = await useRelay(t)
  const env = { DATABASE_URL: `sqlite:${relay.database}` }
  const create = async (stdin: string, ...args: string[]): Promise<Ended> =>
    runProgram(t, [CLI, 'create-user', ...args], { env, stdin })

  const made = await create('correct horse\nignored\n', '--name', 'root', '--role', 'admin')
  t.match(made, { code: 0, stdout: 'made the account root (admin)\n', stderr: '' })
  const root = await StompClient.connect(t, relay.url, { login: 'root', passcode: 'correct horse' })
  await root.subscribe('s', '/topic/orders')
  const wrong = await StompClient.open(t, relay.url)
  wrong.send('CONNECT', ['accept-version', '1.2', 'login', 'root', 'passcode', 'ignored'])
  t.match(header((await wrong.next('ERROR')).headers, 'message'), 'authentication failed')

  const again = await create('another password', '--name', 'root', '--role', 'user')
  t.equal(again.code, 1, 'a name is taken once')
  t.equal(again.stderr, 'stomp-relay: an account of this name exists\n')
  for (const password of ['', '1234567\n']) {
    const short = await create(password, '--name', 'short', '--role', 'user')
    t.equal(short.code, 64)
    t.match(short.stderr, 'stomp-relay: the password must have 8 characters or more')
  }
  const role = await create('correct horse\n', '--name', 'other', '--role', 'king')
  t.equal(role.code, 64)
  t.match(role.stderr, '--role must be user, service or admin')
  for (const { stdout, stderr } of [made, again]) t.notMatch(stdout + stderr, /horse|password$/)
})

await t.test('a password of any characters, without a line end, is taken as it is', async (t) => {
  const relay = await useRelay(t)
  const env = { DATABASE_URL: `sqlite:${relay.database}` }
  const password = 'pässwörd: "ü" \\ '
  const args = [CLI, 'create-user', '--name', 'dave@example.com', '--role', 'user', '--role', 'service']
  const made = await runProgram(t, args, { env, stdin: password })
  t.match(made, { code: 0, stdout: 'made the account dave@example.com (user, service)\n' })
  const dave = await StompClient.connect(t, relay.url, { login: 'dave@example.com', passcode: password })
  await dave.subscribe('s', '/topic/anything')
})

await t.test('a password is changed, and an account disabled, beside a running server', async (t) => {
  const relay = await useRelay(t)
  const env = { DATABASE_URL: `sqlite:${relay.database}` }
  const run = async (stdin: string, ...args: string[]): Promise<Ended> =>
    runProgram(t, [CLI, ...args], { env, stdin })
  await run('the old one\n', 'create-user', '--name', 'root', '--role', 'admin')
  await StompClient.connect(t, relay.url, { login: 'root', passcode: 'the old one' })
  const changed = await run('the new one\n', 'set-password', '--name', 'root')
  t.match(changed, { code: 0, stdout: 'changed the password of root\n', stderr: '' })
  const isRefused = async (passcode: string): Promise<void> => {
    const client = await StompClient.open(t, relay.url)
    client.send('CONNECT', ['accept-version', '1.2', 'login', 'root', 'passcode', passcode])
    t.match(header((await client.next('ERROR')).headers, 'message'), 'authentication failed')
  }
  await isRefused('the old one')
  await StompClient.connect(t, relay.url, { login: 'root', passcode: 'the new one' })
  const disabled = await run('', 'disable-user', '--name', 'root')
  t.match(disabled, { code: 0, stdout: 'disabled the account root\n', stderr: '' })
  await isRefused('the new one')
  t.match(await run('', 'disable-user', '--name', 'nobody'), {
    code: 1,
    stderr: 'stomp-relay: there is no account of this name\n',
  })
  t.equal((await run('short\n', 'set-password', '--name', 'root')).code, 64)
  const { stdout } = await run('', 'token', '--user', 'auditor', '--role', 'admin', '--minutes', '5')
  const answer = await fetch(`${relay.address}/api/v1/admin/audit?kind=command`, {
    headers: { authorization: `Bearer ${stdout.trim()}` },
  })
  const { items } = (await answer.json()) as { items: { about: string }[] }
  t.strictSame(
    items.map(({ about }) => about).toReversed(),
    [
      'create-user root (admin)',
      'set-password root',
      'disable-user root',
      'token for auditor (admin), 5 minutes',
    ],
    'what was done is in the audit, and what was refused is not',
  )
})
