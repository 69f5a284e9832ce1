import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from './free-ports.ts'
import { type NodePlan, writeCookie, writeNodeFolder } from './node-folder.ts'
import { assertInstalled, NodeProcess } from './node-process.ts'
import { OwnedProcess } from './owned-process.ts'
import type { BrokerUrls, PrivateNode } from './private-node.ts'
import { connectsOverStomp } from './stomp-probe.ts'
import { Watchdog } from './watchdog.ts'

const SIZE = 3
const PORTS_EACH = 5
/** Three nodes that start together wait for each other. */
const START_TIMEOUT_MS = 180_000
/** So long, and a quarter more or less, nodes take to notice that one of them hangs. RabbitMQ's own is 60. */
const NET_TICK_TIME_S = 10
/** For a node that hung to find its way back. */
const REJOIN_TIMEOUT_MS = 10_000
/** Each look costs a command line tool of RabbitMQ's. */
const POLL_MS = 300

export interface ClusterNode extends Omit<PrivateNode, 'stop'> {
  /** `relay1@localhost`, as in RabbitMQ's lists. */
  readonly name: string
  /** SIGSTOP: it holds its connections, accepts new ones and answers nobody. */
  freeze(): void
  /** SIGCONT. See `PrivateCluster.thaw`. */
  thaw(): void
}

/** Three private nodes in one cluster that pauses the part without a majority. */
export interface PrivateCluster {
  readonly nodes: readonly ClusterNode[]
  /** All three hosts in one URL each, the one with this number first. Default 0 and `/`. */
  urls(first?: number, vhost?: string): BrokerUrls
  /** Resolves when all three know each other as running. */
  untilWhole(): Promise<void>
  /** Cuts the node off from the two others; resolves when it has paused. A client's connection to it ends then, and no new one comes to be. */
  isolate(node: ClusterNode): Promise<void>
  /** Ends that; resolves when it serves again. */
  heal(node: ClusterNode): Promise<void>
  /**
   * Lets a frozen node go on; resolves when it serves with the others again. One that the others had given up
   * does not always find back by itself: then it is killed and started, as an operator would.
   */
  thaw(node: ClusterNode): Promise<void>
  /** Ends everything that was started and removes the temporary folder. Idempotent. */
  stop(): Promise<void>
}

/**
 * Starts three nodes of one cluster on loopback and resolves when they have found each other (about 20 s on
 * two cores, 130 MiB each). What holds of `startPrivateNode` holds of each.
 *
 * @throws Error with the last lines of a log, where they do not come up within 180 s
 */
export async function startPrivateCluster(options: { webStomp?: boolean } = {}): Promise<PrivateCluster> {
  assertInstalled()
  const dir = await mkdtemp(join(tmpdir(), 'stomp-relay-cluster-'))
  const cluster = await Cluster.prepare(dir, options.webStomp === true)
  try {
    await cluster.start()
    return cluster
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

class Cluster implements PrivateCluster {
  readonly nodes: readonly NodeProcess[]
  readonly #watchdog: Watchdog
  readonly #epmd: OwnedProcess
  readonly #cookie: string

  static async prepare(dir: string, hasWebStomp: boolean): Promise<Cluster> {
    const watchdog = new Watchdog(dir)
    const cookie = await writeCookie(join(dir, 'home'))
    const plans = await plansOf(dir, hasWebStomp)
    await Promise.all(plans.map(writeNodeFolder))
    return new Cluster(plans, watchdog, cookie)
  }

  private constructor(plans: readonly NodePlan[], watchdog: Watchdog, cookie: string) {
    this.#watchdog = watchdog
    this.#epmd = new OwnedProcess(watchdog)
    this.#cookie = cookie
    const surroundings = { watchdog, epmd: this.#epmd, startTimeoutMs: START_TIMEOUT_MS }
    this.nodes = plans.map((plan) => new NodeProcess(plan, surroundings))
  }

  async start(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.start()))
    await this.untilWhole()
  }

  urls(first = 0, vhost = '/'): BrokerUrls {
    const ordered = [...this.nodes.slice(first), ...this.nodes.slice(0, first)]
    const all = (port: (node: NodeProcess) => number): string =>
      ordered.map((node) => `127.0.0.1:${port(node)}`).join(',')
    const path = encodeURIComponent(vhost)
    return {
      stompUrl: `stomp://guest:guest@${all(({ stompPort }) => stompPort)}/${path}`,
      amqpUrl: `amqp://guest:guest@${all(({ amqpPort }) => amqpPort)}/${path}`,
    }
  }

  async untilWhole(timeoutMs = START_TIMEOUT_MS): Promise<void> {
    const giveUpAt = Date.now() + timeoutMs
    for (const node of this.nodes) {
      while ((await runningSeenBy(node)) !== SIZE) {
        if (Date.now() > giveUpAt) throw new Error(`${node.name} does not see the whole cluster`)
        await pause()
      }
    }
  }

  async thaw(node: ClusterNode): Promise<void> {
    node.thaw()
    try {
      await this.untilWhole(REJOIN_TIMEOUT_MS)
    } catch {
      await node.kill()
      await node.start()
      await this.untilWhole()
    }
  }

  async isolate(node: ClusterNode): Promise<void> {
    const others = this.nodes.filter((other) => other.name !== node.name)
    // Without firewall: a cookie that is wrong for these two, whom it drops now and refuses from now on.
    await forEach(node, others, 'erlang:set_cookie(N, wrong), erlang:disconnect_node(N)')
    await untilServing(node, false)
  }

  async heal(node: ClusterNode): Promise<void> {
    const others = this.nodes.filter((other) => other.name !== node.name)
    await forEach(node, others, `erlang:set_cookie(N, '${this.#cookie}'), net_adm:ping(N)`)
    await untilServing(node, true)
    await this.untilWhole()
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()))
    await this.#epmd.end('SIGKILL')
    await this.#watchdog.release()
  }
}

async function plansOf(dir: string, hasWebStomp: boolean): Promise<readonly NodePlan[]> {
  const numbers = Array.from({ length: SIZE }, (_, i) => i + 1)
  const [epmd = 0, ...free] = await freePorts(1 + SIZE * PORTS_EACH)
  const settings = [
    'cluster_formation.peer_discovery_backend = classic_config',
    ...numbers.map((n) => `cluster_formation.classic_config.nodes.${n} = ${nameOf(n)}`),
    'cluster_partition_handling = pause_minority',
    `net_ticktime = ${NET_TICK_TIME_S}`,
  ]
  return numbers.map((n) => {
    const own = free.splice(0, PORTS_EACH)
    const [amqp = 0, stomp = 0, webStomp = 0, dist = 0, cli = 0] = own
    const ports = { amqp, stomp, webStomp: hasWebStomp ? webStomp : 0, dist, cli, epmd }
    return { name: nameOf(n), dir: join(dir, `node${n}`), home: join(dir, 'home'), ports, settings }
  })
}

function nameOf(number: number): string {
  return `relay${number}@localhost`
}

/** How many nodes, itself included, this one knows to be running; 0 where it cannot say. */
async function runningSeenBy(node: NodeProcess): Promise<number> {
  return Number(await node.ctl('eval', 'length(rabbit_nodes:all_running()).').catch(() => '0'))
}

/** Evaluates an Erlang expression on `node` with each of the others as `N`. */
async function forEach(node: ClusterNode, others: readonly ClusterNode[], expression: string): Promise<void> {
  const names = others.map(({ name }) => `'${name}'`).join(', ')
  await node.ctl('eval', `[begin ${expression} end || N <- [${names}]].`)
}

async function untilServing(node: ClusterNode, isServing: boolean): Promise<void> {
  const giveUpAt = Date.now() + START_TIMEOUT_MS
  while ((await connectsOverStomp(node.stompPort, 'guest', 'guest')) !== isServing) {
    if (Date.now() > giveUpAt)
      throw new Error(`${node.name} ${isServing ? 'does not serve' : 'still serves'}`)
    await pause()
  }
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, POLL_MS))
}
