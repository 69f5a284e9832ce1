import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { startPrivateNode, type PrivateNode } from '../../rabbitmq/private-node.ts'
import type { ConnectHeaders } from '../load/client-plan.ts'
import { counterValue } from '../measure/prometheus-text.ts'
import type { Contestant, RunningContestant, WriteCounts } from './contestant.ts'
import { rabbitmqVersion } from './rabbitmq-version.ts'
import { startRelayProcess, type RelayProcess } from './relay-process.ts'

/** Limits raised because one machine plays all clients; everything else stays at its default. */
const RAISED_LIMITS: Readonly<Record<string, string>> = { LIMIT_CONNECTIONS: '50000' }

export interface RelayOptions {
  readonly name: string
  /** Folder whose `dist/src/main.js` is run. */
  readonly checkout: string
  readonly broker: 'rabbitmq' | 'memory'
  /** Arguments for Node itself. */
  readonly nodeArgs: readonly string[]
}

/** This project in production mode: authentication, policy, limits and metrics on. */
export function relay(options: RelayOptions): Contestant {
  const limits = Object.entries(RAISED_LIMITS).map(([name, value]) => `${name}=${value}`)
  return {
    name: options.name,
    notes: ['NODE_ENV=production', ...limits, `broker: ${options.broker}`, ...options.nodeArgs],
    start: async () => {
      const node = options.broker === 'rabbitmq' ? await startPrivateNode() : undefined
      try {
        return await startWith(options, node)
      } catch (error) {
        await node?.stop()
        throw error
      }
    },
  }
}

async function startWith(options: RelayOptions, node: PrivateNode | undefined): Promise<RunningContestant> {
  const dir = await mkdtemp(join(tmpdir(), 'stomp-relay-bench-'))
  const secret = randomBytes(32).toString('base64url')
  const server = await startRelayProcess(options, {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: '0',
    DATABASE_URL: `sqlite:${join(dir, 'bench.db')}`,
    AUTH_JWT_SECRET: secret,
    ...RAISED_LIMITS,
    ...(node === undefined ? {} : { RABBITMQ_STOMP_URL: node.stompUrl, RABBITMQ_AMQP_URL: node.amqpUrl }),
  })
  const { hostname, port } = new URL(server.address)
  const endpoint = { host: hostname, port: Number(port), path: '/ws', protocol: 'v12.stomp' }
  return {
    pids: { relay: server.pid, ...(node?.pid === undefined ? {} : { broker: node.pid }) },
    plan: {
      dialect: 'stomp',
      subscribeEndpoint: endpoint,
      publishEndpoint: endpoint,
      destination: '/topic/bench',
    },
    ...(node === undefined ? {} : { rabbitmqVersion: await rabbitmqVersion(node) }),
    connectHeaders: async (count) => mintConnectHeaders(secret, count),
    prepare: async () => Promise.resolve(),
    writeCounts: async () => readWriteCounts(server),
    stop: async () => {
      await server.stop()
      await node?.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

// A name each, so that the limit of sessions per user stays at its default.
async function mintConnectHeaders(secret: string, count: number): Promise<readonly ConnectHeaders[]> {
  const key = new TextEncoder().encode(secret)
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const token = await new SignJWT({ roles: ['service'] })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(`bench-${index}`)
        .setIssuedAt()
        .setExpirationTime('2h')
        .sign(key)
      return ['Authorization', `Bearer ${token}`]
    }),
  )
}

async function readWriteCounts(server: RelayProcess): Promise<WriteCounts | undefined> {
  const response = await fetch(`${server.address}/metrics`)
  if (!response.ok) return undefined
  const page = await response.text()
  const frames = counterValue(page, 'stomp_relay_frames_sent_total')
  const writes = counterValue(page, 'stomp_relay_socket_writes_total')
  return frames === undefined || writes === undefined ? undefined : { frames, writes }
}
