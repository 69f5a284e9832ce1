import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { ApiClient } from './api-client.ts'
import { usePostgres } from './postgres.ts'
import { useRabbitMq } from './rabbitmq.ts'
import { startProcess } from './child-process.ts'
import { useRelay } from './relay.ts'
import { SseReader } from './sse-reader.ts'
import { StompClient } from './stomp-client.ts'
import { Witness } from './witness.ts'
import { TEST_SECRET } from './token.ts'

/** Where a node is reached. */
export interface ServiceNode {
  /** `http://127.0.0.1:PORT` */
  readonly address: string
  /** `ws://…/ws` */
  readonly url: string
}

/** What suites of the whole service run over. What is done at `west` must be seen at `east`. */
export interface Service {
  readonly west: ServiceNode
  readonly east: ServiceNode
  readonly databaseUrl: string
  /** Of RabbitMQ; missing in process. */
  readonly stompUrl?: string
  readonly amqpUrl?: string
}

const SETTINGS = {
  AUTH_JWT_SECRET: TEST_SECRET,
  LIMIT_SUBSCRIPTIONS: '1000',
  LIMIT_SESSIONS_PER_USER: '1000',
}

/** One node with the in-process broker and SQLite, which is west and east at once. */
export async function useServiceInProcess(
  t: Test,
  env: Readonly<Record<string, string>> = {},
): Promise<Service> {
  const node = await useRelay(t, { ...SETTINGS, ...env })
  await bearWitness(t, node)
  return { west: node, east: node, databaseUrl: `sqlite:${node.database}` }
}

/** Two processes on one RabbitMQ and one PostgreSQL. */
export async function useServiceOnRabbitMq(
  t: Test,
  env: Readonly<Record<string, string>> = {},
): Promise<Service> {
  const [{ stompUrl, amqpUrl }, databaseUrl] = await Promise.all([useRabbitMq(t), usePostgres(t)])
  const urls = { DATABASE_URL: databaseUrl, RABBITMQ_STOMP_URL: stompUrl, RABBITMQ_AMQP_URL: amqpUrl }
  const start = (name: string): Promise<ServiceNode> =>
    startProcess(t, { ...SETTINGS, ...urls, ...env, NODE_ID: name })
  const [west, east] = await Promise.all([start('west'), start('east')])
  await bearWitness(t, west)
  return { west, east, databaseUrl, stompUrl, amqpUrl }
}

/** From here on everything that clients of this process get has to be described, and is written down as seen. */
async function bearWitness(t: Test, node: ServiceNode): Promise<void> {
  const witness = await Witness.of(node.address)
  ApiClient.witness = witness
  StompClient.witness = witness
  SseReader.witness = witness
  t.teardown(() => {
    witness.leave(randomUUID())
    if (witness.faults.length === 0) return
    console.error(`not described by the node itself:\n${witness.faults.join('\n')}`)
    process.exitCode = 1
  })
}
