import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { startPrivateNode, type PrivateNode } from '../../rabbitmq/private-node.ts'
import type { ClientAccess, ConnectHeaders } from '../load/client-plan.ts'
import { counterValue } from '../measure/prometheus-text.ts'
import type { ClientKind, Contestant, Database, RunningContestant, WriteCounts } from './contestant.ts'
import { rabbitmqVersion } from './rabbitmq-version.ts'
import { startDatabase, type RunningDatabase } from './relay-database.ts'
import { startRelayProcess } from './relay-process.ts'

/** Limits raised because one machine plays all clients; everything else stays at its default. */
const RAISED_LIMITS: Readonly<Record<string, string>> = { LIMIT_CONNECTIONS: '50000' }
const NAME_DIGITS = 5

export interface RelayOptions {
  readonly name: string
  /** Folder whose `dist/src/main.js` is run. */
  readonly checkout: string
  readonly broker: 'rabbitmq' | 'memory'
  readonly database: Database
  /** Settings besides those that every relay has here. */
  readonly settings?: Readonly<Record<string, string>>
  /** Arguments for Node itself. */
  readonly nodeArgs: readonly string[]
}

/** This project in production mode: authentication, policy, limits and metrics on. */
export function relay(options: RelayOptions): Contestant {
  const { name, broker, database, nodeArgs, settings = {} } = options
  const limits = Object.entries({ ...RAISED_LIMITS, ...settings }).map(([key, value]) => `${key}=${value}`)
  return {
    name,
    database,
    notes: ['NODE_ENV=production', ...limits, `broker: ${broker}`, `database: ${database}`, ...nodeArgs],
    start: async () => start(options),
  }
}

async function start(options: RelayOptions): Promise<RunningContestant> {
  const started: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).toReversed()) await end()
  }
  try {
    const dir = await mkdtemp(join(tmpdir(), 'stomp-relay-bench-'))
    started.push(async () => rm(dir, { recursive: true, force: true }))
    const node = options.broker === 'rabbitmq' ? await startPrivateNode() : undefined
    if (node !== undefined) started.push(async () => node.stop())
    const database = await startDatabase(options.database, dir)
    started.push(async () => database.stop())
    const secret = randomBytes(32).toString('base64url')
    const server = await startRelayProcess(options, {
      ...environment(secret, database, node),
      ...options.settings,
    })
    started.push(async () => server.stop())
    const version = node === undefined ? {} : { rabbitmqVersion: await rabbitmqVersion(node) }
    const pids = { relay: server.pid, ...pidOf('broker', node?.pid), ...pidOf('database', database.pid) }
    const ctl = node === undefined ? {} : { ctl: async (...args: string[]) => node.ctl(...args) }
    return { ...relayClients(server.address, secret), ...version, ...ctl, pids, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function environment(
  secret: string,
  database: RunningDatabase,
  node: PrivateNode | undefined,
): Record<string, string> {
  return {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: '0',
    DATABASE_URL: database.url,
    AUTH_JWT_SECRET: secret,
    ...RAISED_LIMITS,
    ...(node === undefined ? {} : { RABBITMQ_STOMP_URL: node.stompUrl, RABBITMQ_AMQP_URL: node.amqpUrl }),
  }
}

function pidOf(key: 'broker' | 'database', pid: number | undefined): Partial<Record<typeof key, number>> {
  return pid === undefined ? {} : { [key]: pid }
}

/**
 * What clients need of a relay that runs, wherever it runs.
 * @param address `http://host:port`
 * @param secret what it checks tokens with
 */
export function relayClients(
  address: string,
  secret: string,
): Pick<RunningContestant, 'access' | 'connectHeaders' | 'prepare' | 'writeCounts'> {
  const { hostname, port } = new URL(address)
  const endpoint = { host: hostname, port: Number(port), path: '/ws', protocol: 'v12.stomp' }
  const access: ClientAccess = { dialect: 'stomp', subscribeEndpoint: endpoint, publishEndpoint: endpoint }
  return {
    access,
    connectHeaders: async (count, as) => mintConnectHeaders(secret, count, as),
    prepare: async () => Promise.resolve(),
    writeCounts: async () => readWriteCounts(address),
  }
}

/** The name of a client of the benchmarks, of one length for all: messages carry it. */
export function clientName(index: number): string {
  return `bench-${String(index).padStart(NAME_DIGITS, '0')}`
}

// A name each, so that the limit of sessions per user stays at its default.
async function mintConnectHeaders(
  secret: string,
  count: number,
  { first, role }: ClientKind = { first: 0, role: 'service' },
): Promise<readonly ConnectHeaders[]> {
  const key = new TextEncoder().encode(secret)
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const token = await new SignJWT({ roles: [role] })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(clientName(first + index))
        .setIssuedAt()
        .setExpirationTime('2h')
        .sign(key)
      return ['Authorization', `Bearer ${token}`]
    }),
  )
}

async function readWriteCounts(address: string): Promise<WriteCounts | undefined> {
  const response = await fetch(`${address}/metrics`)
  if (!response.ok) return undefined
  const page = await response.text()
  const frames = counterValue(page, 'stomp_relay_frames_sent_total')
  const writes = counterValue(page, 'stomp_relay_socket_writes_total')
  return frames === undefined || writes === undefined ? undefined : { frames, writes }
}
