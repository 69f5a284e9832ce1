import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from './free-ports.ts'
import { type NodePlan, writeNodeFolder } from './node-folder.ts'
import { assertInstalled, NodeProcess } from './node-process.ts'
import { OwnedProcess } from './owned-process.ts'
import { Watchdog } from './watchdog.ts'

const START_TIMEOUT_MS = 90_000

export interface PrivateNodeOptions {
  /** Opens the Web STOMP port too. Default false. */
  readonly webStomp?: boolean
  /** An existing folder to keep everything in; it stays. Default: a temporary one, removed at the end. */
  readonly dir?: string
  /** `vm_memory_high_watermark.absolute`, such as `200MB`. Default RabbitMQ's own. */
  readonly memoryHighWatermark?: string
}

export interface BrokerUrls {
  readonly stompUrl: string
  readonly amqpUrl: string
}

/** A RabbitMQ of our own on loopback, account `guest`, virtual host `/`. */
export interface PrivateNode extends BrokerUrls {
  readonly stompPort: number
  readonly amqpPort: number
  /** 0 without `webStomp`. */
  readonly webStompPort: number
  /** The beam's; undefined while it does not run. */
  readonly pid: number | undefined
  /** For `rabbitmqctl` from another process. */
  readonly ctlEnv: Readonly<Record<string, string>>
  /** Ends everything that was started and removes the temporary folder. Idempotent. */
  stop(): Promise<void>
  /**
   * Resolves when all that was declared is on disk. RabbitMQ 3.10.8 answers before: of a queue that was declared
   * within the last seconds `kill -9` was seen to leave nothing, confirmed persistent messages included.
   */
  sync(): Promise<void>
  /** `kill -9` of the beam; resolves when it is gone. The folders stay for `start`. */
  kill(): Promise<void>
  /** Ends the beam in order (SIGTERM); resolves when it is gone. The folders stay for `start`. */
  shutDown(): Promise<void>
  /** Starts it again with the same folders and ports. */
  start(): Promise<void>
  /** `rabbitmqctl` with these arguments; resolves with what it printed. */
  ctl(...args: string[]): Promise<string>
  addVhost(name: string): Promise<BrokerUrls>
}

/**
 * Starts a node and resolves when CONNECT answers CONNECTED. Works as root and as an ordinary user;
 * touches nothing that runs already: it has an epmd, a cookie and ports of its own. It does not keep this
 * process alive.
 *
 * @throws Error naming the log folder's last lines, where it does not come up within 90 s
 */
export async function startPrivateNode(options: PrivateNodeOptions = {}): Promise<PrivateNode> {
  assertInstalled()
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'stomp-relay-rabbitmq-')))
  const watchdog = new Watchdog(options.dir === undefined ? dir : undefined)
  const surroundings = { watchdog, epmd: new OwnedProcess(watchdog), startTimeoutMs: START_TIMEOUT_MS }
  const node = new NodeProcess(await planOf(dir, options), surroundings)
  try {
    await node.start()
    return node
  } catch (error) {
    await node.stop()
    throw error
  }
}

async function planOf(dir: string, options: PrivateNodeOptions): Promise<NodePlan> {
  const { webStomp: hasWebStomp = false, memoryHighWatermark } = options
  const [amqp = 0, stomp = 0, webStomp = 0, dist = 0, epmd = 0, cli = 0] = await freePorts(6)
  const plan = {
    name: 'relay@localhost',
    dir,
    home: join(dir, 'home'),
    ports: { amqp, stomp, webStomp: hasWebStomp ? webStomp : 0, dist, epmd, cli },
    settings:
      memoryHighWatermark === undefined ? [] : [`vm_memory_high_watermark.absolute = ${memoryHighWatermark}`],
  }
  await writeNodeFolder(plan)
  return plan
}
