import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { addVhost, rabbitmqctl, SCRIPTS } from './ctl.ts'
import { freePorts } from './free-ports.ts'
import { connectsOverStomp } from './stomp-probe.ts'
import { Watchdog } from './watchdog.ts'

const START_TIMEOUT_MS = 90_000
const STOP_TIMEOUT_MS = 20_000
const ACCOUNT = 'guest'

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
  if (!existsSync(`${SCRIPTS}/rabbitmq-server`)) {
    throw new Error('rabbitmq-server is not installed: run node --import tsx scripts/install-services.ts')
  }
  const node = await Node.prepare(options)
  try {
    await node.start()
    return node
  } catch (error) {
    await node.stop()
    throw error
  }
}

interface Ports {
  readonly amqp: number
  readonly stomp: number
  readonly webStomp: number
  readonly dist: number
  readonly epmd: number
  readonly cli: number
}

class Node implements PrivateNode {
  readonly ctlEnv: Readonly<Record<string, string>>
  readonly #dir: string
  readonly #ports: Ports
  readonly #watchdog: Watchdog
  #epmd: ChildProcess | undefined
  #beam: ChildProcess | undefined

  static async prepare(options: PrivateNodeOptions): Promise<Node> {
    const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'stomp-relay-rabbitmq-')))
    const [amqp = 0, stomp = 0, webStomp = 0, dist = 0, epmd = 0, cli = 0] = await freePorts(6)
    const ports = { amqp, stomp, webStomp: options.webStomp === true ? webStomp : 0, dist, epmd, cli }
    const node = new Node(dir, ports, new Watchdog(options.dir === undefined ? dir : undefined))
    await writeFolder(dir, ports, options)
    return node
  }

  private constructor(dir: string, ports: Ports, watchdog: Watchdog) {
    this.#dir = dir
    this.#ports = ports
    this.#watchdog = watchdog
    this.ctlEnv = environment(dir, ports)
  }

  get stompPort(): number {
    return this.#ports.stomp
  }

  get amqpPort(): number {
    return this.#ports.amqp
  }

  get webStompPort(): number {
    return this.#ports.webStomp
  }

  get pid(): number | undefined {
    return isRunning(this.#beam) ? this.#beam.pid : undefined
  }

  get stompUrl(): string {
    return this.#urls('%2F').stompUrl
  }

  get amqpUrl(): string {
    return this.#urls('%2F').amqpUrl
  }

  async start(): Promise<void> {
    if (!isRunning(this.#epmd)) this.#epmd = this.#startEpmd()
    if (isRunning(this.#beam)) return
    // With this variable the script becomes the beam instead of waiting for it: one process to end.
    const env = { ...process.env, ...this.ctlEnv, RUNNING_UNDER_SYSTEMD: 'true' }
    const beam = spawn(`${SCRIPTS}/rabbitmq-server`, [], {
      detached: true,
      stdio: 'ignore',
      env,
      cwd: this.#dir,
    })
    beam.once('error', () => undefined)
    beam.unref()
    this.#beam = beam
    this.#watchdog.watch(beam)
    await this.#untilReady(beam)
  }

  async kill(): Promise<void> {
    await end(this.#beam, 'SIGKILL')
  }

  async shutDown(): Promise<void> {
    await end(this.#beam, 'SIGTERM')
  }

  async stop(): Promise<void> {
    await end(this.#beam, 'SIGKILL')
    await end(this.#epmd, 'SIGKILL')
    await this.#watchdog.release()
  }

  async ctl(...args: string[]): Promise<string> {
    return rabbitmqctl(this.ctlEnv, args)
  }

  async addVhost(name: string): Promise<BrokerUrls> {
    await addVhost(this.ctlEnv, ACCOUNT, name)
    return this.#urls(encodeURIComponent(name))
  }

  #urls(vhost: string): BrokerUrls {
    const { stomp, amqp } = this.#ports
    const account = `${ACCOUNT}:${ACCOUNT}`
    return {
      stompUrl: `stomp://${account}@127.0.0.1:${stomp}/${vhost}`,
      amqpUrl: `amqp://${account}@127.0.0.1:${amqp}/${vhost}`,
    }
  }

  #startEpmd(): ChildProcess {
    const args = ['-port', String(this.#ports.epmd), '-address', '127.0.0.1']
    const epmd = spawn('epmd', args, { detached: true, stdio: 'ignore', cwd: this.#dir })
    epmd.once('error', () => undefined)
    epmd.unref()
    this.#watchdog.watch(epmd)
    return epmd
  }

  async #untilReady(beam: ChildProcess): Promise<void> {
    const giveUpAt = Date.now() + START_TIMEOUT_MS
    while (Date.now() < giveUpAt && isRunning(beam)) {
      if (await connectsOverStomp(this.#ports.stomp, ACCOUNT, ACCOUNT)) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`RabbitMQ did not start: ${await lastLines(join(this.#dir, 'log', 'node.log'))}`)
  }
}

function isRunning(child: ChildProcess | undefined): child is ChildProcess {
  return child?.pid !== undefined && child.exitCode === null && child.signalCode === null
}

async function end(child: ChildProcess | undefined, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!isRunning(child)) return
  const exited = once(child, 'exit')
  child.ref()
  child.kill(signal)
  const harder = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await exited
  clearTimeout(harder)
}

async function writeFolder(dir: string, ports: Ports, options: PrivateNodeOptions): Promise<void> {
  const base = await readFile(new URL('rabbitmq.conf', import.meta.url), 'utf8')
  const lines = [
    base,
    '# What follows differs per private node.',
    `listeners.tcp.default = 127.0.0.1:${ports.amqp}`,
    `stomp.listeners.tcp.default = 127.0.0.1:${ports.stomp}`,
    ...(ports.webStomp === 0 ? [] : [`web_stomp.tcp.listener = 127.0.0.1:${ports.webStomp}`]),
    ...(options.memoryHighWatermark === undefined
      ? []
      : [`vm_memory_high_watermark.absolute = ${options.memoryHighWatermark}`]),
    'log.console = false',
    'log.file = node.log',
    'log.file.level = info',
  ]
  await mkdir(join(dir, 'home'), { recursive: true })
  await writeFile(join(dir, 'node.conf'), `${lines.join('\n')}\n`)
  const plugins = ports.webStomp === 0 ? 'rabbitmq_stomp' : 'rabbitmq_stomp,rabbitmq_web_stomp'
  await writeFile(join(dir, 'enabled_plugins'), `[${plugins}].\n`)
  const cookie = join(dir, 'home', '.erlang.cookie')
  // Written before the node and its command line tools race to make one.
  if (!existsSync(cookie)) await writeFile(cookie, randomBytes(16).toString('hex'), { mode: 0o400 })
}

function environment(dir: string, ports: Ports): Record<string, string> {
  const loopback = '-kernel inet_dist_use_interface {127,0,0,1}'
  return {
    HOME: join(dir, 'home'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_NODENAME: 'relay@localhost',
    RABBITMQ_NODE_PORT: String(ports.amqp),
    RABBITMQ_DIST_PORT: String(ports.dist),
    RABBITMQ_BASE: dir,
    RABBITMQ_MNESIA_BASE: join(dir, 'mnesia'),
    RABBITMQ_LOG_BASE: join(dir, 'log'),
    RABBITMQ_PID_FILE: join(dir, 'pid'),
    RABBITMQ_CONFIG_FILE: join(dir, 'node.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(dir, 'advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'enabled_plugins'),
    RABBITMQ_GENERATED_CONFIG_DIR: join(dir, 'generated'),
    RABBITMQ_SCHEMA_DIR: join(dir, 'schema'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: loopback,
    RABBITMQ_CTL_ERL_ARGS: loopback,
    RABBITMQ_CTL_DIST_PORT_MIN: String(ports.cli),
    RABBITMQ_CTL_DIST_PORT_MAX: String(ports.cli + 30),
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_CRASH_DUMP_BYTES: '0',
  }
}

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => 'no log was written')
  return text.split('\n').slice(-12).join('\n')
}
