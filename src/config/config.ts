import { randomBytes } from 'node:crypto'
import { NodeError } from '../errors.ts'
import { parseBrokerUrl, type BrokerUrl } from './broker-url.ts'
import { parseDatabaseUrl } from './database-url.ts'
import { EDGE_SETTINGS } from './edge-settings.ts'
import { faultsOfIdentity } from './identity-rules.ts'
import { isLoopback, productionFaults } from './production.ts'
import { tlsFault } from './tls-files.ts'
import { flag, integer, list, matching, setting, type SettingTable, type SettingValues } from './setting.ts'

/** Every variable this version reads. Defaults and meanings are CONTRACT: clients and operators rely on them. */
export const SETTINGS = {
  host: setting(
    'HOST',
    'address to listen on',
    '127.0.0.1',
    matching(/^[\w.:-]{1,255}$/, 'a host name or address'),
  ),
  port: setting('PORT', 'TCP port of HTTP and WebSocket; 0 picks a free one', 8080, integer(0, 65535)),
  stompUrl: setting<BrokerUrl | undefined>(
    'RABBITMQ_STOMP_URL',
    "RabbitMQ's STOMP listener; set both or none",
    undefined,
    (text) => parseBrokerUrl(text, 'stomp', 61613),
  ),
  amqpUrl: setting<BrokerUrl | undefined>(
    'RABBITMQ_AMQP_URL',
    "RabbitMQ's AMQP listener; set both or none",
    undefined,
    (text) => parseBrokerUrl(text, 'amqp', 5672),
  ),
  databaseUrl: setting(
    'DATABASE_URL',
    'where messages are stored: sqlite:PATH, postgres://… or mysql://…',
    'sqlite:./data/stomp-relay.db',
    databaseUrl,
  ),
  endpoints: setting<readonly string[]>(
    'STOMP_ENDPOINTS',
    'WebSocket paths, comma-separated',
    ['/ws'],
    endpointPaths,
  ),
  jwtSecret: setting<string | undefined>(
    'AUTH_JWT_SECRET',
    'HS256 secret of at least 32 bytes; in production this or AUTH_JWKS_URL is required',
    undefined,
    secret,
  ),
  jwksUrl: setting<string | undefined>(
    'AUTH_JWKS_URL',
    'key set of an identity provider, which has the accounts then, instead of AUTH_JWT_SECRET',
    undefined,
    webUrl,
  ),
  jwtIssuer: setting<string | undefined>(
    'AUTH_JWT_ISSUER',
    '`iss` of tokens; needed with AUTH_JWKS_URL, with AUTH_JWT_SECRET of those that others sign',
    undefined,
    matching(/^[\x21-\x7e]{1,512}$/, 'one word of printable characters'),
  ),
  jwtAudience: setting<string | undefined>(
    'AUTH_JWT_AUDIENCE',
    '`aud` of tokens that are meant for the relay; needed with AUTH_JWKS_URL, else likewise',
    undefined,
    matching(/^[\x21-\x7e]{1,512}$/, 'one word of printable characters'),
  ),
  demoAccounts: setting<boolean | undefined>(
    'DEMO_ACCOUNTS',
    'accounts to try with; by default on outside production on a loopback address, unless TRUST_PROXY, ALLOWED_ORIGINS or TLS_CERT_FILE tells of others',
    undefined,
    flag,
  ),
  registration: setting<boolean | undefined>(
    'REGISTRATION',
    'whether strangers may make accounts over HTTP; by default on outside production',
    undefined,
    flag,
  ),
  allowedOrigins: setting<readonly string[]>(
    'ALLOWED_ORIGINS',
    'origins whose pages may connect, comma-separated; by default the same origin',
    [],
    list(origin),
  ),
  nodeId: setting<string | undefined>(
    'NODE_ID',
    'stable name of this node; by default random',
    undefined,
    matching(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 of A-Z a-z 0-9 _ -'),
  ),
  workers: setting(
    'WORKERS',
    'processes that share the port, each a node of its own; more than 1 needs RabbitMQ and a server database',
    1,
    integer(1, 64),
  ),
  retentionUserDays: setting(
    'RETENTION_USER_DAYS',
    'days for which streams of one user, /user/…, can be replayed',
    7,
    integer(1, 3650),
  ),
  retentionDays: setting(
    'RETENTION_DAYS',
    'days for which other streams can be replayed',
    30,
    integer(1, 3650),
  ),
  drainMs: setting(
    'DRAIN_MS',
    'milliseconds over which closes are spread at shutdown',
    10_000,
    integer(0, 600_000),
  ),
  logLevel: setting(
    'LOG_LEVEL',
    'fatal, error, warn, info, debug or trace',
    'info',
    matching(/^(fatal|error|warn|info|debug|trace)$/, 'fatal, error, warn, info, debug or trace'),
  ),
  environment: setting('NODE_ENV', 'production refuses unsafe settings', 'development', environment),
  limitFrameBytes: setting(
    'LIMIT_FRAME_BYTES',
    'bytes of one STOMP frame',
    65_536,
    integer(1024, 16_777_216),
  ),
  limitHeaders: setting('LIMIT_HEADERS', 'headers of one frame', 64, integer(8, 1000)),
  limitHeaderBytes: setting('LIMIT_HEADER_BYTES', 'bytes of one header line', 8192, integer(256, 1_048_576)),
  limitSubscriptions: setting(
    'LIMIT_SUBSCRIPTIONS',
    'subscriptions of one session',
    100,
    integer(1, 100_000),
  ),
  limitSessionsPerUser: setting(
    'LIMIT_SESSIONS_PER_USER',
    'sessions of one user on this node',
    20,
    integer(1, 1_000_000),
  ),
  limitConnections: setting(
    'LIMIT_CONNECTIONS',
    'WebSocket connections of this node',
    10_000,
    integer(1, 1_000_000),
  ),
  limitSendsPerSecond: setting(
    'LIMIT_SENDS_PER_SECOND',
    'SENDs of one session, those of services and administrators excepted',
    100,
    integer(1, 1_000_000),
  ),
  limitSendBurst: setting(
    'LIMIT_SEND_BURST',
    'SENDs of one session at once, after a rest',
    200,
    integer(1, 1_000_000),
  ),
  limitOutboxBytes: setting(
    'LIMIT_OUTBOX_BYTES',
    'bytes unsent to one client',
    524_288,
    integer(16_384, 1_073_741_824),
  ),
  limitOutboxMs: setting(
    'LIMIT_OUTBOX_MS',
    'milliseconds for which bytes may stay unsent',
    10_000,
    integer(100, 600_000),
  ),
  ...EDGE_SETTINGS,
} satisfies SettingTable

type Values = SettingValues<typeof SETTINGS>

/** Settings after every default is filled in and every rule between them holds. */
export interface Config extends Omit<Values, 'demoAccounts' | 'registration' | 'nodeId'> {
  readonly demoAccounts: boolean
  readonly registration: boolean
  readonly nodeId: string
  readonly isProduction: boolean
}

/** Exit code for faulty configuration (`EX_CONFIG` of sysexits). */
export const EXIT_CONFIG = 78

/**
 * Reads the environment. An empty variable counts as not set.
 *
 * @throws NodeError `invalid-configuration` whose message lists every fault, a line each
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const { values, faults } = readValues(env)
  const isProduction = values.environment === 'production'
  for (const [name, fault] of faultsBetween(values, isProduction)) {
    // What does not parse has its fault already, and no value to compare.
    if (!faults.has(name)) faults.set(name, fault)
  }
  if (faults.size > 0) {
    const lines = [...faults].map(([name, fault]) => `${name} must ${fault}`)
    throw new NodeError('invalid-configuration', lines.join('\n'))
  }
  return {
    ...values,
    isProduction,
    demoAccounts: values.demoAccounts ?? (!isProduction && isLocal(values)),
    registration: values.registration ?? !isProduction,
    nodeId: values.nodeId ?? `node-${randomBytes(6).toString('hex')}`,
  }
}

/** Whether nobody else reaches the node, as far as settings tell: a proxy on this machine may serve the world. */
function isLocal({ host, jwksUrl, trustProxy, tlsCertFile, allowedOrigins }: Values): boolean {
  const hasForeignPages = allowedOrigins.some((each) => !isLoopback(each.replace(/^https?:\/\/|:\d+$/g, '')))
  const isExposed = trustProxy.length > 0 || tlsCertFile !== undefined || hasForeignPages
  return isLoopback(host) && !isExposed && jwksUrl === undefined
}

/** The values, and by variable what each of the faulty ones "must" be. */
function readValues(env: Readonly<Record<string, string | undefined>>): {
  values: Values
  faults: Map<string, string>
} {
  const faults = new Map<string, string>()
  const entries = Object.entries(SETTINGS).map(([name, row]) => {
    const text = env[row.env]
    if (!isSet(text)) return [name, row.fallback]
    try {
      return [name, row.parse(text)]
    } catch (error) {
      faults.set(row.env, `be ${error instanceof Error ? error.message : String(error)}`)
      return [name, row.fallback]
    }
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys are the table's, each with its own row's value
  return { values: Object.fromEntries(entries) as Values, faults }
}

/** What the rules between settings say, each of the variable that has to change. */
function* faultsBetween(values: Values, isProduction: boolean): Iterable<readonly [string, string]> {
  if ((values.stompUrl === undefined) !== (values.amqpUrl === undefined)) {
    const [set, missing] = values.stompUrl === undefined ? ['AMQP', 'STOMP'] : ['STOMP', 'AMQP']
    yield [`RABBITMQ_${missing}_URL`, `be set too, because RABBITMQ_${set}_URL is`]
  }
  yield* faultsOfIdentity(values, isProduction)
  if (isProduction) yield* productionFaults(values)
  const fault = tlsFault(values)
  if (fault !== undefined) yield fault
  if (values.workers > 1) yield* faultsOfWorkers(values)
  if (values.limitHeaderBytes > values.limitFrameBytes) {
    yield ['LIMIT_HEADER_BYTES', 'be at most LIMIT_FRAME_BYTES']
  }
}

/** Room for `-64` behind a name of at most 64 characters. */
const MAX_SHARED_NODE_ID = 61

function* faultsOfWorkers(values: Values): Iterable<readonly [string, string]> {
  if (values.stompUrl === undefined || values.amqpUrl === undefined) {
    yield ['WORKERS', 'be 1 without RabbitMQ: processes cannot share an in-process broker']
  } else if (values.databaseUrl.startsWith('sqlite:')) {
    yield ['WORKERS', 'be 1 with SQLite: its file belongs to one process']
  }
  if ((values.nodeId?.length ?? 0) > MAX_SHARED_NODE_ID) {
    yield ['NODE_ID', `be at most ${MAX_SHARED_NODE_ID} characters long with WORKERS, which appends a number`]
  }
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== ''
}

const ENDPOINTS_CLAIM = 'paths that begin with a slash, each once'

function endpointPaths(text: string): readonly string[] {
  const paths = list(matching(/^\/[\w./-]{1,200}$/, ENDPOINTS_CLAIM))(text)
  if (paths.length === 0 || new Set(paths).size < paths.length) throw new Error(ENDPOINTS_CLAIM)
  return paths
}

/** Scripts and files leave spaces and line ends behind. */
function environment(text: string): string {
  const name = text.trim()
  return matching(/^(production$|(?![Pp][Rr][Oo][Dd]))/, 'production, spelled so, or something else')(name)
}

function secret(text: string): string {
  if (new TextEncoder().encode(text).byteLength < 32) throw new Error('at least 32 bytes long')
  return text
}

function webUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:'
  if (!isWeb || url.username !== '' || url.password !== '')
    throw new Error('an https: URL without credentials')
  return url.href
}

/** As browsers write it: in small letters, without the port that the scheme has anyhow. */
function origin(text: string): string {
  if (text === '*') return text
  if (!/^https?:\/\/(\*\.)?[A-Za-z0-9.-]+(:\d{1,5})?$/.test(text) || !URL.canParse(text)) {
    throw new Error('origins such as https://app.example.com, or https://*.example.com')
  }
  return new URL(text).origin
}

/** As given: the store parses it again. It may bear a password. */
function databaseUrl(text: string): string {
  parseDatabaseUrl(text)
  return text
}
