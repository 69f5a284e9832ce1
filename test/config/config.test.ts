import { readFileSync } from 'node:fs'
import t from 'tap'
import { readConfig, SETTINGS } from '../../src/config/config.ts'
import { NodeError } from '../../src/errors.ts'
import { VERSION } from '../../src/version.ts'

type Env = Readonly<Record<string, string>>

/** The faults, a line each; none where the configuration is fine. */
function faultsOf(env: Env): string[] {
  try {
    readConfig(env)
    return []
  } catch (error) {
    if (!(error instanceof NodeError)) throw error
    t.equal(error.code, 'invalid-configuration')
    return error.message.split('\n')
  }
}

const BROKER = { RABBITMQ_STOMP_URL: 'stomp://a', RABBITMQ_AMQP_URL: 'amqp://a' }
const SECRET = 'k7Gq2TzV9mW4xR1bN8cY5dH3fJ6pL0sA'

await t.test('has the defaults of the contract', async (t) => {
  t.match(readConfig({}), {
    host: '127.0.0.1',
    port: 8080,
    databaseUrl: 'sqlite:./data/stomp-relay.db',
    endpoints: ['/ws'],
    demoAccounts: true,
    registration: true,
    allowedOrigins: [],
    retentionUserDays: 7,
    retentionDays: 30,
    drainMs: 10_000,
    logLevel: 'info',
    environment: 'development',
    isProduction: false,
    limitFrameBytes: 65_536,
    limitHeaders: 64,
    limitHeaderBytes: 8192,
    limitSubscriptions: 100,
    limitSessionsPerUser: 20,
    limitConnections: 10_000,
    limitOutboxBytes: 524_288,
    limitOutboxMs: 10_000,
    trustProxy: [],
    compression: false,
    limitHttpPerMinute: 300,
    limitLoginsPerMinute: 10,
    limitConnectingPerAddress: 200,
    limitConnectionsPerAddress: 1000,
    limitLoopLagMs: 1000,
  })
  const { stompUrl, amqpUrl, jwtSecret } = readConfig({})
  t.same([stompUrl, amqpUrl, jwtSecret], [undefined, undefined, undefined])
})

await t.test('gives a node another random name each time, unless it has one', async (t) => {
  t.match(readConfig({}).nodeId, /^node-[0-9a-f]{12}$/)
  t.not(readConfig({}).nodeId, readConfig({}).nodeId)
  t.equal(readConfig({ NODE_ID: 'relay-1' }).nodeId, 'relay-1')
})

await t.test('takes an empty variable for one that is not set', async (t) => {
  const empty = Object.fromEntries(Object.values(SETTINGS).map((row) => [row.env, '']))
  t.match(readConfig(empty), { port: 8080, endpoints: ['/ws'], demoAccounts: true, jwtSecret: undefined })
})

await t.test('reads every variable', async (t) => {
  const config = readConfig({
    ...BROKER,
    HOST: '::1',
    PORT: '0',
    DATABASE_URL: 'sqlite:/tmp/x.db',
    STOMP_ENDPOINTS: '/ws, /stomp/v1',
    AUTH_JWT_SECRET: SECRET,
    DEMO_ACCOUNTS: 'off',
    REGISTRATION: 'off',
    ALLOWED_ORIGINS: 'https://a.example.com,https://*.example.org:8443',
    NODE_ID: 'n',
    RETENTION_USER_DAYS: '1',
    RETENTION_DAYS: '3650',
    DRAIN_MS: '0',
    LOG_LEVEL: 'trace',
    NODE_ENV: 'test',
    LIMIT_FRAME_BYTES: '16777216',
    LIMIT_HEADERS: '8',
    LIMIT_HEADER_BYTES: '1048576',
    LIMIT_SUBSCRIPTIONS: '1',
    LIMIT_SESSIONS_PER_USER: '2',
    LIMIT_CONNECTIONS: '3',
    LIMIT_OUTBOX_BYTES: '16384',
    LIMIT_OUTBOX_MS: '100',
    TRUST_PROXY: '127.0.0.1, 10.0.0.0/8,::1,fc00::/7',
    WS_COMPRESSION: 'on',
    LIMIT_HTTP_PER_MINUTE: '1',
    LIMIT_LOGINS_PER_MINUTE: '2',
    LIMIT_CONNECTING_PER_ADDRESS: '3',
    LIMIT_CONNECTIONS_PER_ADDRESS: '4',
    LIMIT_LOOP_LAG_MS: '0',
  })
  t.match(config, {
    host: '::1',
    port: 0,
    stompUrl: { hosts: [{ host: 'a', port: 61613 }] },
    amqpUrl: { hosts: [{ host: 'a', port: 5672 }] },
    databaseUrl: 'sqlite:/tmp/x.db',
    endpoints: ['/ws', '/stomp/v1'],
    jwtSecret: SECRET,
    demoAccounts: false,
    registration: false,
    allowedOrigins: ['https://a.example.com', 'https://*.example.org:8443'],
    nodeId: 'n',
    retentionUserDays: 1,
    retentionDays: 3650,
    drainMs: 0,
    logLevel: 'trace',
    environment: 'test',
    limitFrameBytes: 16_777_216,
    limitHeaders: 8,
    limitHeaderBytes: 1_048_576,
    limitSubscriptions: 1,
    limitSessionsPerUser: 2,
    limitConnections: 3,
    limitOutboxBytes: 16_384,
    limitOutboxMs: 100,
    trustProxy: ['127.0.0.1', '10.0.0.0/8', '::1', 'fc00::/7'],
    compression: true,
    limitHttpPerMinute: 1,
    limitLoginsPerMinute: 2,
    limitConnectingPerAddress: 3,
    limitConnectionsPerAddress: 4,
    limitLoopLagMs: 0,
  })
})

await t.test('names each variable that cannot be, with what it should be', async (t) => {
  for (const [env, text, fault] of [
    ['HOST', 'not a host', 'a host name or address'],
    ['PORT', '65536', 'a whole number from 0 to 65535'],
    ['RABBITMQ_STOMP_URL', 'amqp://a', 'stomp://user:pass@host:port/vhost'],
    ['RABBITMQ_AMQP_URL', 'stomp://a', 'amqp://user:pass@host:port/vhost'],
    ['DATABASE_URL', 'postgres://a', 'sqlite:PATH, postgres://'],
    ['DATABASE_URL', 'sqlite:', 'sqlite:PATH'],
    ['STOMP_ENDPOINTS', 'ws', 'paths that begin with a slash'],
    ['STOMP_ENDPOINTS', '/a?b', 'paths that begin with a slash'],
    ['STOMP_ENDPOINTS', ' , ', 'paths that begin with a slash'],
    ['STOMP_ENDPOINTS', '/ws,/ws', 'paths that begin with a slash, each once'],
    ['AUTH_JWT_SECRET', 'x'.repeat(31), 'at least 32 bytes long'],
    ['DEMO_ACCOUNTS', 'maybe', 'on or off'],
    ['ALLOWED_ORIGINS', 'example.com', 'origins such as https://app.example.com'],
    ['ALLOWED_ORIGINS', 'https://a.*.com', 'origins such as https://app.example.com'],
    ['ALLOWED_ORIGINS', 'https://a.com/', 'origins such as https://app.example.com'],
    ['NODE_ID', 'a b', '1 to 64 of A-Z a-z 0-9 _ -'],
    ['RETENTION_USER_DAYS', '0', 'a whole number from 1 to 3650'],
    ['RETENTION_DAYS', '3651', 'a whole number from 1 to 3650'],
    ['RETENTION_DAYS', '1.5', 'a whole number from 1 to 3650'],
    ['DRAIN_MS', '-1', 'a whole number from 0 to 600000'],
    ['LOG_LEVEL', 'loud', 'fatal, error, warn, info, debug or trace'],
    ['LIMIT_FRAME_BYTES', '1023', 'a whole number from 1024 to 16777216'],
    ['LIMIT_HEADERS', '7', 'a whole number from 8 to 1000'],
    ['LIMIT_HEADER_BYTES', '255', 'a whole number from 256 to 1048576'],
    ['LIMIT_SUBSCRIPTIONS', '0', 'a whole number from 1 to 100000'],
    ['LIMIT_SESSIONS_PER_USER', '0', 'a whole number from 1 to 1000000'],
    ['LIMIT_CONNECTIONS', '0', 'a whole number from 1 to 1000000'],
    ['LIMIT_OUTBOX_BYTES', '16383', 'a whole number from 16384 to 1073741824'],
    ['NODE_ENV', 'prod', 'production, spelled so'],
    ['NODE_ENV', 'Production', 'production, spelled so'],
    ['NODE_ENV', 'productive', 'production, spelled so'],
    ['TRUST_PROXY', 'all', 'addresses, or networks as ADDRESS/BITS'],
    ['TRUST_PROXY', 'true', 'addresses, or networks as ADDRESS/BITS'],
    ['TRUST_PROXY', '10.0.0.0/33', 'addresses, or networks as ADDRESS/BITS'],
    ['TRUST_PROXY', '::/129', 'addresses, or networks as ADDRESS/BITS'],
    ['TRUST_PROXY', '10.0.0.0/', 'addresses, or networks as ADDRESS/BITS'],
    ['WS_COMPRESSION', 'gzip', 'on or off'],
    ['LIMIT_HTTP_PER_MINUTE', '0', 'a whole number from 1 to 1000000000'],
    ['LIMIT_LOGINS_PER_MINUTE', '0', 'a whole number from 1 to 1000000000'],
    ['LIMIT_CONNECTING_PER_ADDRESS', '0', 'a whole number from 1 to 1000000'],
    ['LIMIT_CONNECTIONS_PER_ADDRESS', '0', 'a whole number from 1 to 1000000'],
    ['REGISTRATION', 'open', 'on or off'],
    ['LIMIT_LOOP_LAG_MS', '-1', 'a whole number from 0 to 60000'],
    ['LIMIT_OUTBOX_MS', '99', 'a whole number from 100 to 600000'],
  ] as const) {
    const faults = faultsOf({ [env]: text })
    t.equal(faults.length, 1, `${env}=${text}: ${faults.join(' / ')}`)
    t.ok(faults[0]?.startsWith(`${env} must be ${fault}`), String(faults[0]))
  }
})

await t.test('counts the bytes of a secret, not its characters', async (t) => {
  t.same(faultsOf({ AUTH_JWT_SECRET: 'é'.repeat(16) }), [])
  t.equal(faultsOf({ AUTH_JWT_SECRET: 'é'.repeat(15) }).length, 1)
})

await t.test('knows a fault for one of the RabbitMQ URLs without the other', async (t) => {
  t.same(faultsOf(BROKER), [])
  t.same(faultsOf({ RABBITMQ_STOMP_URL: 'stomp://a' }), [
    'RABBITMQ_AMQP_URL must be set too, because RABBITMQ_STOMP_URL is',
  ])
  t.same(faultsOf({ RABBITMQ_AMQP_URL: 'amqp://a' }), [
    'RABBITMQ_STOMP_URL must be set too, because RABBITMQ_AMQP_URL is',
  ])
})

await t.test('wants a secret, and no page of everywhere, in production', async (t) => {
  t.same(faultsOf({ NODE_ENV: 'production', AUTH_JWT_SECRET: SECRET }), [])
  t.same(faultsOf({ NODE_ENV: 'production' }), [
    'AUTH_JWT_SECRET must be set in production (32 bytes or more), or AUTH_JWKS_URL',
  ])
  t.same(faultsOf({ NODE_ENV: 'production', AUTH_JWT_SECRET: SECRET, ALLOWED_ORIGINS: '*' }), [
    'ALLOWED_ORIGINS must not be * in production',
  ])
  t.same(faultsOf({ ALLOWED_ORIGINS: '*' }), [])
})

await t.test('wants room for a header line in a frame', async (t) => {
  t.same(faultsOf({ LIMIT_FRAME_BYTES: '8192' }), [])
  t.same(faultsOf({ LIMIT_FRAME_BYTES: '4096' }), ['LIMIT_HEADER_BYTES must be at most LIMIT_FRAME_BYTES'])
})

await t.test('tells all faults together, and each once', async (t) => {
  const faults = faultsOf({
    NODE_ENV: 'production',
    PORT: 'http',
    AUTH_JWT_SECRET: 'short',
    RABBITMQ_STOMP_URL: 'stomp://u:hunter2@host:99999',
    RABBITMQ_AMQP_URL: 'amqp://host',
    LIMIT_HEADERS: '1',
    ALLOWED_ORIGINS: '*',
  })
  t.same(faults.map((line) => line.split(' ')[0] ?? '').toSorted(), [
    'ALLOWED_ORIGINS',
    'AUTH_JWT_SECRET',
    'LIMIT_HEADERS',
    'PORT',
    'RABBITMQ_AMQP_URL',
    'RABBITMQ_STOMP_URL',
  ])
  t.match(
    faults.join('\n'),
    /AUTH_JWT_SECRET must be at least 32 bytes/,
    'what is wrong with it, not what is missing',
  )
  t.notMatch(faults.join('\n'), /hunter2|short/)
})

await t.test('has demo accounts by itself only where nobody else can reach them', async (t) => {
  for (const [env, has] of [
    [{ HOST: 'localhost' }, true],
    [{ HOST: '::1' }, true],
    [{ HOST: '127.9.9.9' }, true],
    [{ HOST: '0.0.0.0' }, false],
    [{ TRUST_PROXY: '127.0.0.1' }, false],
    [{ ALLOWED_ORIGINS: 'http://localhost:5173,https://app.example.com' }, false],
    [{ ALLOWED_ORIGINS: '*' }, false],
    [{ ALLOWED_ORIGINS: 'http://localhost:5173,http://127.0.0.1:3000' }, true],
    [{ TRUST_PROXY: '127.0.0.1', DEMO_ACCOUNTS: 'on' }, true],
    [{ HOST: '127.example.com' }, false],
    [{ HOST: '0.0.0.0', DEMO_ACCOUNTS: 'on' }, true],
    [{ NODE_ENV: 'production', AUTH_JWT_SECRET: SECRET }, false],
  ] as const) {
    t.equal(readConfig(env).demoAccounts, has, JSON.stringify(env))
  }
})

await t.test('lets strangers make accounts in production only where somebody says so', async (t) => {
  const env = { NODE_ENV: 'production', AUTH_JWT_SECRET: SECRET }
  t.equal(readConfig(env).registration, false)
  t.equal(readConfig({ ...env, REGISTRATION: 'on' }).registration, true)
  t.equal(readConfig({ REGISTRATION: 'off' }).registration, false)
})

await t.test('says what each setting means', async (t) => {
  for (const row of Object.values(SETTINGS)) t.match(row.meaning, /\w{3}/, row.env)
})

await t.test('bears the version of the package', async (t) => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  t.equal(VERSION, (JSON.parse(text) as { version: string }).version)
})

await t.test(
  'lets several processes share a port only where they can share broker and database',
  async (t) => {
    const rabbit = { RABBITMQ_STOMP_URL: 'stomp://host', RABBITMQ_AMQP_URL: 'amqp://host' }
    const server = { DATABASE_URL: 'postgres://user:pass@host:5432/db' }
    for (const [env, message] of [
      [server, 'WORKERS must be 1 without RabbitMQ: processes cannot share an in-process broker'],
      [rabbit, 'WORKERS must be 1 with SQLite: its file belongs to one process'],
      [
        { ...rabbit, ...server, NODE_ID: 'n'.repeat(62) },
        'NODE_ID must be at most 61 characters long with WORKERS, which appends a number',
      ],
    ] as const) {
      t.throws(() => readConfig({ ...env, WORKERS: '2' }), { message })
      t.equal(readConfig({ ...env, WORKERS: '1' }).workers, 1)
    }
    t.equal(readConfig({ ...rabbit, ...server, WORKERS: '64', NODE_ID: 'n'.repeat(61) }).workers, 64)
    t.throws(() => readConfig({ ...rabbit, ...server, WORKERS: '65' }), { message: /^WORKERS must be/ })
  },
)

await t.test('refuses demo accounts in production', async (t) => {
  const env = { NODE_ENV: 'production', AUTH_JWT_SECRET: SECRET }
  t.throws(() => readConfig({ ...env, DEMO_ACCOUNTS: 'on' }), {
    message: /^DEMO_ACCOUNTS must not be on in production/,
  })
  t.equal(readConfig({ ...env, DEMO_ACCOUNTS: 'off' }).demoAccounts, false)
})

await t.test('takes origins as browsers write them', async (t) => {
  const { allowedOrigins } = readConfig({
    ALLOWED_ORIGINS: 'https://App.Example.com:443,http://*.Example.org:80,https://a.example.com:8443',
  })
  t.same(allowedOrigins, ['https://app.example.com', 'http://*.example.org', 'https://a.example.com:8443'])
})
