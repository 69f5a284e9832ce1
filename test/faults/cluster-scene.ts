import type { ClusterNode, PrivateCluster } from '../../rabbitmq/private-cluster.ts'
import { useRabbitMqCluster } from '../support/rabbitmq-cluster.ts'
import { until } from '../support/until.ts'
import { usePostgres } from '../support/postgres.ts'
import { isTransient, startConversation } from './conversation.ts'
import { FaultNode } from './fault-node.ts'
import type { FaultReport } from './fault-report.ts'
import type { Stage } from './fault.ts'
import { makeOrderQueueQuorum, startOrders } from './order-traffic.ts'
import { QuorumConsumer } from './quorum-consumer.ts'
import { QuorumSpeaker } from './quorum-speaker.ts'
import type { Traffic } from './traffic.ts'

const QUEUE = '/queue/faults.work'
/** A node that hangs lets senders wait: they must not be refused meanwhile, or they would have to say it again. */
const TIMEOUTS = { publishMs: 120_000 }

export interface Blows {
  readonly fault: string
  readonly messages: number
  readonly blows: number
  /** Before each: puts links where the blow should find them. Holes that are declared for that do not count. */
  readonly prepare?: (blow: number) => Promise<void>
  /** Does it, and resolves with what mends it. */
  readonly strike: () => Promise<() => Promise<void>>
}

/** Two nodes of the relay on a cluster of RabbitMQ, with clients, a queue and somebody outside. */
export class ClusterScene {
  readonly cluster: PrivateCluster
  readonly west: FaultNode
  readonly #nodes: readonly FaultNode[]
  readonly #traffic: Traffic
  readonly #vhost: string
  /** Those whose sessions at the broker end with its nodes. */
  readonly #senders: readonly QuorumSpeaker[]
  /** What was said between a blow and the recovery from it: topics may lose that, under a declared hole. */
  readonly #during = new Set<string>()

  private constructor(parts: {
    readonly cluster: PrivateCluster
    readonly nodes: readonly [west: FaultNode, east: FaultNode]
    readonly traffic: Traffic
    readonly vhost: string
    readonly senders: readonly QuorumSpeaker[]
  }) {
    this.cluster = parts.cluster
    this.west = parts.nodes[0]
    this.#nodes = parts.nodes
    this.#traffic = parts.traffic
    this.#vhost = parts.vhost
    this.#senders = parts.senders
  }

  static async start(stage: Stage): Promise<ClusterScene> {
    const [{ cluster, vhost }, databaseUrl] = await Promise.all([
      useRabbitMqCluster(stage),
      usePostgres(stage),
    ])
    const outsideUrl = cluster.nodes[2]!.amqpUrl.replace('%2F', vhost)
    await makeOrderQueueQuorum(outsideUrl)
    const node = (name: string, first: number): Promise<FaultNode> =>
      FaultNode.start(stage, { name, databaseUrl, rabbitMq: cluster.urls(first, vhost), timeouts: TIMEOUTS })
    const nodes = await Promise.all([node('west', 0), node('east', 1)])
    const orders = await startOrders(stage, nodes)
    const consumer = await QuorumConsumer.start(stage, { node: nodes[0], destination: QUEUE })
    const sender = await QuorumSpeaker.start(stage, 'sender', { node: nodes[0], destination: QUEUE })
    const ear = {
      hearing: consumer.ledger.hearing,
      speakers: [sender],
      originOf: (message: string) => message,
    }
    const senders = [sender, orders.speaker]
    const others = { speakers: senders, ears: [ear, ...orders.ears] }
    const traffic = await startConversation(stage, { nodes, outsideUrl, others })
    return new ClusterScene({ cluster, vhost, nodes, traffic, senders })
  }

  /** The node that keeps a node's inbox. */
  async homeOf(name: string): Promise<ClusterNode> {
    const inboxes = await this.#inboxesOf(name)
    const newest = inboxes.toSorted((a, b) => generationOf(a) - generationOf(b)).at(-1)
    const home = this.cluster.nodes.find((node) => newest?.includes(`<${node.name}.`) === true)
    if (home === undefined) throw new Error(`nobody keeps the inbox of ${name}: ${newest}`)
    return home
  }

  /** Resolves when RabbitMQ has no inbox of the node but the present one. */
  async untilOneInbox(name: string): Promise<void> {
    await until(async () => (await this.#inboxesOf(name)).length === 1)
  }

  /** Keeps `west` from the third node, where those outside are: they do not connect again, so it must live. */
  spareThird(): void {
    for (const proxy of [this.west.amqp[2]!, this.west.stomp[2]!]) proxy.refuse(true)
  }

  /** The node that the publisher of `west` is connected to. */
  publisherAt(): ClusterNode {
    const { detail } = this.west.broker.status()
    const at = this.west.amqp.findIndex(({ port }) =>
      detail.startsWith(`publisher connected to 127.0.0.1:${port};`),
    )
    const node = this.cluster.nodes[at]
    if (node === undefined) throw new Error(`where is the publisher? ${detail}`)
    return node
  }

  /** Moves publisher and control of `west` away from this node, and its inbox too where `links` says so. */
  async moveFrom(node: ClusterNode, links: 'amqp' | 'all'): Promise<void> {
    const at = this.cluster.nodes.indexOf(node)
    const proxies = [this.west.amqp[at]!, ...(links === 'all' ? [this.west.stomp[at]!] : [])]
    for (const proxy of proxies) proxy.refuse(true)
    const left = proxies.map(({ port }) => `:${port}`)
    await this.west.until(({ isUp, detail }) => isUp && left.every((port) => !detail.includes(port)))
    for (const proxy of proxies) proxy.refuse(false)
  }

  /** Messages before each blow, in the middle of it, after the recovery from it, and after its mending. */
  async run({ fault, messages, blows, prepare, strike }: Blows): Promise<FaultReport> {
    const share = messages / blows / 3
    let recoveryMs = 0
    let holes = 0
    for (let blow = 0; blow < blows; blow += 1) {
      await prepare?.(blow)
      await this.#say(share)
      const holesBefore = this.#holes
      const { mend, struckAtMs } = await this.#strikeAmid(share, strike)
      await this.#say(share)
      recoveryMs = Math.max(recoveryMs, performance.now() - struckAtMs)
      await mend()
      await this.#untilUp()
      holes += this.#holes - holesBefore
    }
    const receptions = await this.#traffic.receptions((message) => this.#isOwed(message))
    return { fault, published: this.#traffic.published, receptions, recoveryMs, holes }
  }

  async #say(count: number): Promise<void> {
    await this.#traffic.say(count).all
    await this.#traffic.arrived((message) => this.#isOwed(message))
  }

  async #strikeAmid(
    count: number,
    strike: Blows['strike'],
  ): Promise<{ mend: () => Promise<void>; struckAtMs: number }> {
    const before = new Set(this.#traffic.said)
    const saying = this.#traffic.say(count)
    for (const message of this.#traffic.said) if (!before.has(message)) this.#during.add(message)
    await saying.half
    const noticed = this.west.untilDown()
    const struckAtMs = performance.now()
    const mend = await strike()
    await noticed
    await this.#untilUp()
    await saying.all
    return { mend, struckAtMs }
  }

  /** Lines with the name of the queue and its process, which names the node. */
  async #inboxesOf(name: string): Promise<string[]> {
    const columns = ['name', 'pid', '--no-table-headers']
    const list = await this.cluster.nodes[2]!.ctl('list_queues', '-p', this.#vhost, ...columns)
    const isInbox = (line: string): boolean => line.startsWith(`stomp-relay.inbox.${name}.`)
    return list.split('\n').filter((line) => isInbox(line) && !line.includes('.lost'))
  }

  get #holes(): number {
    return this.#nodes.reduce((sum, { broker }) => sum + broker.counters.holes, 0)
  }

  async #untilUp(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.untilUp()))
  }

  #isOwed(message: string): boolean {
    const isQueued = this.#senders.some(({ name }) => message.startsWith(`${name}-`))
    if (isQueued) return !this.#senders.some(({ doubtful }) => doubtful.has(message))
    return !this.#during.has(message) || !isTransient(message)
  }
}

/** Of a line with the name of an inbox, which ends with it, and its process. */
function generationOf(line: string): number {
  return Number(/\.(\d+)\t/.exec(line)?.[1])
}
