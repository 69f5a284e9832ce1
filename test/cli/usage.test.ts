import t from 'tap'
import { DEMO_ACCOUNTS } from '../../src/auth/accounts.ts'
import { runProgram } from '../support/child-process.ts'
import { temporaryFolder } from '../support/relay.ts'

const CLI = 'src/cli.ts'

await t.test('says how it is used, and ends with 64, where it is not used like that', async (t) => {
  const calls = [[], ['help'], ['token', 'create-user'], ['constructor']]
  const ended = await Promise.all(calls.map((args) => runProgram(t, [CLI, ...args])))
  for (const [i, { code, stdout, stderr }] of ended.entries()) {
    t.equal(code, 64, calls[i]!.join(' '))
    t.equal(stdout, '')
    t.match(stderr, /^usage: stomp-relay COMMAND/)
    for (const command of ['start', 'check-config', 'token', 'create-user']) t.match(stderr, command)
  }
})

await t.test('names the option that is wrong, and ends with 64', async (t) => {
  const DATABASE_URL = `sqlite:${await temporaryFolder(t)}/a.db`
  const calls = [
    [['token', '--user', 'no spaces', '--role', 'user'], '--user must be 1 to 64 of'],
    [['token', '--role', 'user'], '--user must be'],
    [['token', '--user', 'alice'], '--role must be user, service or admin'],
    [['token', '--user', 'alice', '--role', 'root'], '--role must be'],
    [['token', '--user', 'alice', '--role', 'user', '--role', 'root'], '--role must be'],
    [['token', '--user', 'alice', '--role', 'user', '--minutes', 'ten'], '--minutes must be'],
    [['token', '--user', 'alice', '--role', 'user', '--minutes', '0'], '--minutes must be'],
    [['create-user', '--role', 'user'], '--name must be'],
    [['token', '--user', 'alice', '--role'], '--role'],
    [['check-config', '--verbose'], '--verbose'],
  ] as const
  const run = async ([args, fault]: (typeof calls)[number]): Promise<void> => {
    const { code, stdout, stderr } = await runProgram(t, [CLI, ...args], { env: { DATABASE_URL } })
    t.equal(code, 64, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, /^stomp-relay: /)
    t.match(stderr, fault)
    t.notMatch(stderr, /\n {4}at /, 'no stack')
  }
  // Four at a time: each is a process.
  for (let i = 0; i < calls.length; i += 4) await Promise.all(calls.slice(i, i + 4).map(run))
})

await t.test('check-config approves of what is fine', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, [CLI, 'check-config'], { env: { NODE_ID: 'n-1' } })
  t.match({ code, stderr }, { code: 0, stderr: '' })
  t.match(stdout, /^the configuration is fine: \d+ settings, node n-1\n$/)
})

const FAULTY = { NODE_ENV: 'production', PORT: 'http', RABBITMQ_AMQP_URL: 'amqp://u:hunter2@host:0' }

await t.test('check-config prints every fault, without secrets, and ends with 78', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, [CLI, 'check-config'], { env: FAULTY })
  t.equal(code, 78)
  t.equal(stdout, '')
  for (const name of ['PORT', 'RABBITMQ_AMQP_URL', 'AUTH_JWT_SECRET']) t.match(stderr, `${name} must `)
  t.notMatch(stderr, 'hunter2')
})

await t.test(
  'the process prints every fault as well, ends with 78, and does not begin to serve',
  async (t) => {
    const { code, stdout, stderr } = await runProgram(t, ['src/main.ts'], { env: FAULTY })
    t.equal(code, 78)
    t.equal(stdout, '')
    for (const name of ['PORT', 'RABBITMQ_AMQP_URL', 'AUTH_JWT_SECRET']) t.match(stderr, `${name} must `)
    t.notMatch(stderr, 'hunter2')
  },
)

await t.test('a command that needs the database says why it cannot have it', async (t) => {
  const folder = await temporaryFolder(t)
  const args = [CLI, 'token', '--user', 'alice', '--role', 'user']
  const { code, stderr } = await runProgram(t, args, { env: { DATABASE_URL: `sqlite:${folder}` } })
  t.equal(code, 1)
  t.match(stderr, `stomp-relay: the database ${folder} cannot be opened: it is a folder\n`)
})

await t.test('the demo accounts are those of the contract', async (t) => {
  t.same(DEMO_ACCOUNTS, [
    { name: 'alice', roles: ['user'] },
    { name: 'bob', roles: ['user'] },
    { name: 'orders', roles: ['service'] },
    { name: 'admin', roles: ['admin'] },
    { name: 'guest', roles: ['service'] },
  ])
})
