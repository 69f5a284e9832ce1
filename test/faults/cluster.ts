import type { BrokerUrls } from '../../rabbitmq/private-node.ts'
import { TEST_SECRET } from '../support/token.ts'
import { FaultyNodeProcess, type FaultyNode } from './faulty-node.ts'
import type { KillOrder } from './kill-point.ts'

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

export interface ClusterOptions {
  readonly databaseUrl: string
  readonly rabbitMq: BrokerUrls
  /** Nodes, numbered from 0. More than 1 needs a database server. */
  readonly size: number
  /** How often one will die and come back. */
  readonly deaths: number
}

/** Between two looks at the counters of the nodes, which die with what was not looked at. */
const LOOK_MS = 200

/** Nodes that die and come back, and where clients find those that live. */
export class Cluster {
  readonly size: number
  readonly #t: Teardown
  readonly #options: ClusterOptions
  readonly #nodes: (FaultyNode | undefined)[] = []
  readonly #lastUrls: string[] = []
  /** Made before it is needed, as that takes seconds. */
  #spare: FaultyNodeProcess | undefined
  #toStart: number
  /** Of each process, what it had counted when it was last looked at. */
  readonly #counted = new Map<FaultyNode, ReadonlyMap<string, number>>()

  private constructor(t: Teardown, options: ClusterOptions) {
    this.#t = t
    this.#options = options
    this.size = options.size
    this.#toStart = options.size + options.deaths
  }

  static async start(t: Teardown, options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(t, options)
    const slots = Array.from({ length: options.size }, (_, i) => i)
    await Promise.all(slots.map((slot) => cluster.revive(slot)))
    const looks = setInterval(() => void cluster.look(), LOOK_MS)
    t.teardown(async () => clearInterval(looks))
    return cluster
  }

  /** The node that one would like, or another one that lives, or the place where there was one. */
  urlFor(home: number): string {
    const slots = [home, ...this.#nodes.keys()].map((slot) => slot % this.size)
    const living = slots.find((slot) => this.#nodes[slot] !== undefined)
    return this.#nodes[living ?? 0]?.url ?? this.#lastUrls[home % this.size] ?? ''
  }

  nodeId(slot: number): string {
    return `node-${slot}`
  }

  /** Resolves, when the node has followed the order, with the time by `performance.now()`. */
  async kill(slot: number, order: KillOrder): Promise<number> {
    const node = this.#nodes[slot]
    if (node === undefined) throw new Error(`${this.nodeId(slot)} does not live`)
    node.order(order)
    const { atMs, signal } = await node.gone
    this.#nodes[slot] = undefined
    if (signal !== 'SIGKILL') throw new Error(`${this.nodeId(slot)} ended by itself`)
    return atMs
  }

  /** Starts a node under the same name; resolves when it serves. */
  async revive(slot: number): Promise<void> {
    const { databaseUrl, rabbitMq } = this.#options
    const next = this.#spare ?? this.#nextProcess()
    this.#spare = undefined
    const node = await next.serve({
      NODE_ID: this.nodeId(slot),
      DATABASE_URL: databaseUrl,
      RABBITMQ_STOMP_URL: rabbitMq.stompUrl,
      RABBITMQ_AMQP_URL: rabbitMq.amqpUrl,
      AUTH_JWT_SECRET: TEST_SECRET,
    })
    this.#nodes[slot] = node
    this.#lastUrls[slot] = node.url
    if (this.#toStart > 0) this.#spare ??= this.#nextProcess()
  }

  /** Reads the counters of all that live. */
  async look(): Promise<void> {
    for (const node of this.#nodes) {
      if (node === undefined) continue
      // It may die meanwhile: then the look before it counts.
      const counters = await node.counters().catch(() => undefined)
      if (counters !== undefined) this.#counted.set(node, counters)
    }
  }

  /** Over all processes that lived: at least, as what one counted last before it was killed nobody knows. */
  count(name: string): number {
    return [...this.#counted.values()].reduce((sum, counters) => sum + (counters.get(name) ?? 0), 0)
  }

  #nextProcess(): FaultyNodeProcess {
    this.#toStart -= 1
    return new FaultyNodeProcess(this.#t)
  }
}
