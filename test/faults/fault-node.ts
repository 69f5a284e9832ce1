import { readConfig } from '../../src/config/config.ts'
import { parseBrokerUrl } from '../../src/config/broker-url.ts'
import {
  createRabbitMqBroker,
  type RabbitMqBrokerWithCounters,
} from '../../src/broker/rabbitmq/rabbitmq-broker.ts'
import type { RabbitMqTimeouts } from '../../src/broker/rabbitmq/rabbitmq-settings.ts'
import { within } from '../../src/lib/within.ts'
import { startRelay } from '../../src/relay.ts'
import { createLog } from '../../src/telemetry/log.ts'
import type { BrokerUrls } from '../../rabbitmq/private-node.ts'
import type { BrokerStatus } from '../../src/broker/broker.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { usePostgres } from '../support/postgres.ts'
import { HASTE } from '../support/relay.ts'
import { useTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { TEST_SECRET } from '../support/token.ts'
import type { Stage } from './fault.ts'

/** Until a node has noticed what was done to it, or has got over it. */
const PATIENCE_MS = 120_000

export interface FaultNodeOptions {
  readonly name: string
  readonly databaseUrl: string
  readonly rabbitMq: BrokerUrls
  /** How often the only host of its URLs stands in the node's. Default once. */
  readonly hosts?: number
  readonly timeouts?: Partial<RabbitMqTimeouts>
}

/** A node of the relay with proxies between it and its broker. */
export class FaultNode {
  readonly name: string
  /** `http://127.0.0.1:PORT` */
  readonly address: string
  readonly broker: RabbitMqBrokerWithCounters
  /** One for each host: inbox and clients' own sessions. */
  readonly stomp: readonly TcpProxy[]
  /** Likewise: publisher and control. */
  readonly amqp: readonly TcpProxy[]

  private constructor(parts: {
    readonly name: string
    readonly address: string
    readonly broker: RabbitMqBrokerWithCounters
    readonly stomp: readonly TcpProxy[]
    readonly amqp: readonly TcpProxy[]
  }) {
    this.name = parts.name
    this.address = parts.address
    this.broker = parts.broker
    this.stomp = parts.stomp
    this.amqp = parts.amqp
  }

  /** Resolves when all its links are up. */
  static async start(stage: Stage, options: FaultNodeOptions): Promise<FaultNode> {
    const { name, databaseUrl, rabbitMq, hosts = 1, timeouts } = options
    const [stomp, amqp] = await Promise.all(
      [rabbitMq.stompUrl, rabbitMq.amqpUrl].map((url) => proxies(stage, portsOf(url, hosts))),
    )
    const urls = { stomp: through(rabbitMq.stompUrl, stomp!), amqp: through(rabbitMq.amqpUrl, amqp!) }
    const config = readConfig({
      ...HASTE,
      PORT: '0',
      NODE_ID: name,
      DATABASE_URL: databaseUrl,
      RABBITMQ_STOMP_URL: urls.stomp,
      RABBITMQ_AMQP_URL: urls.amqp,
      AUTH_JWT_SECRET: TEST_SECRET,
      DRAIN_MS: '0',
      LOG_LEVEL: 'fatal',
    })
    const log = createLog({ level: config.logLevel, nodeId: name })
    // In place of the one that the relay makes, which has no settings for its time-outs.
    const broker = createRabbitMqBroker({
      stomp: parseBrokerUrl(urls.stomp, 'stomp', 61613),
      amqp: parseBrokerUrl(urls.amqp, 'amqp', 5672),
      nodeId: name,
      log,
      ...(timeouts !== undefined && { timeouts }),
    })
    const relay = await startRelay(config, log, { broker: () => broker })
    stage.teardown(async () => {
      await relay.close()
      await broker.close()
    })
    const node = new FaultNode({ name, address: relay.address, broker, stomp: stomp!, amqp: amqp! })
    await node.untilUp()
    return node
  }

  /** `ws://127.0.0.1:PORT/ws` */
  get url(): string {
    return `${this.address.replace('http', 'ws')}/ws`
  }

  /** For links that could choose among several nodes. */
  urlFor(): string {
    return this.url
  }

  async untilUp(): Promise<void> {
    await this.until(({ isUp }) => isUp)
  }

  async untilDown(): Promise<void> {
    await this.until(({ isUp }) => !isUp)
  }

  /** Resolves when the state of its links is so. */
  async until(holds: (status: BrokerStatus) => boolean): Promise<void> {
    const reached = deferred()
    const look = (status: BrokerStatus): void => {
      if (holds(status)) reached.resolve()
    }
    const stop = this.broker.onStatus(look)
    look(this.broker.status())
    const late = (): Error => new Error(`${this.name} stays as it is: ${this.broker.status().detail}`)
    await within(reached.promise, PATIENCE_MS, late).finally(stop)
  }
}

/** Holes that these nodes have declared. */
export function holesOf(nodes: readonly FaultNode[]): number {
  return nodes.reduce((sum, { broker }) => sum + broker.counters.holes, 0)
}

/** Two nodes, `west` and `east`, on one database and one broker. */
export async function startNodes(
  stage: Stage,
  options: Omit<FaultNodeOptions, 'name' | 'databaseUrl'>,
): Promise<readonly [west: FaultNode, east: FaultNode]> {
  const databaseUrl = await usePostgres(stage)
  return Promise.all([
    FaultNode.start(stage, { ...options, name: 'west', databaseUrl }),
    FaultNode.start(stage, { ...options, name: 'east', databaseUrl }),
  ])
}

/** Of a URL with several hosts, theirs. */
function portsOf(url: string, count: number): readonly number[] {
  const ports = [...url.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, digits]) => Number(digits))
  return ports.length > 1 ? ports : Array.from({ length: count }, () => ports[0]!)
}

async function proxies(stage: Stage, ports: readonly number[]): Promise<readonly TcpProxy[]> {
  return Promise.all(ports.map((port) => useTcpProxy(stage, port)))
}

function through(url: string, hosts: readonly TcpProxy[]): string {
  return url.replace(/127\.0\.0\.1:[\d.:,]+/, hosts.map(({ port }) => `127.0.0.1:${port}`).join(','))
}
