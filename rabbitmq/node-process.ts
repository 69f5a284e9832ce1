import { existsSync } from 'node:fs'
import process from 'node:process'
import { addVhost, rabbitmqctl, SCRIPTS } from './ctl.ts'
import { lastLogLines, nodeEnvironment, type NodePlan } from './node-folder.ts'
import { OwnedProcess } from './owned-process.ts'
import { connectsOverStomp } from './stomp-probe.ts'
import type { Watchdog } from './watchdog.ts'

const ACCOUNT = 'guest'

export interface NodeSurroundings {
  readonly watchdog: Watchdog
  readonly epmd: OwnedProcess
  readonly startTimeoutMs: number
}

/** @throws Error where RabbitMQ is not installed */
export function assertInstalled(): void {
  if (existsSync(`${SCRIPTS}/rabbitmq-server`)) return
  throw new Error('rabbitmq-server is not installed: run node --import tsx scripts/install-services.ts')
}

/** One node, alone or of a cluster: its process, what leads to it, and what can be done to it. */
export class NodeProcess {
  readonly name: string
  readonly stompPort: number
  readonly amqpPort: number
  readonly webStompPort: number
  readonly ctlEnv: Readonly<Record<string, string>>
  readonly #plan: NodePlan
  readonly #surroundings: NodeSurroundings
  readonly #beam: OwnedProcess

  constructor(plan: NodePlan, surroundings: NodeSurroundings) {
    const { name, ports } = plan
    this.name = name
    this.stompPort = ports.stomp
    this.amqpPort = ports.amqp
    this.webStompPort = ports.webStomp
    this.ctlEnv = nodeEnvironment(plan)
    this.#plan = plan
    this.#surroundings = surroundings
    this.#beam = new OwnedProcess(surroundings.watchdog)
  }

  get pid(): number | undefined {
    return this.#beam.pid
  }

  get stompUrl(): string {
    return this.#urls('%2F').stompUrl
  }

  get amqpUrl(): string {
    return this.#urls('%2F').amqpUrl
  }

  /** @throws Error naming the log's last lines, where it does not come up in time */
  async start(): Promise<void> {
    const { dir, ports } = this.#plan
    const { epmd, startTimeoutMs } = this.#surroundings
    epmd.start('epmd', ['-port', String(ports.epmd), '-address', '127.0.0.1'], { cwd: dir })
    if (this.pid !== undefined) return
    // With this variable the script becomes the beam instead of waiting for it: one process to end.
    const env = { ...process.env, ...this.ctlEnv, RUNNING_UNDER_SYSTEMD: 'true' }
    this.#beam.start(`${SCRIPTS}/rabbitmq-server`, [], { env, cwd: dir })
    await this.#untilReady(startTimeoutMs)
  }

  async sync(): Promise<void> {
    await this.ctl('eval', 'mnesia:sync_log().')
  }

  async kill(): Promise<void> {
    await this.#beam.end('SIGKILL')
  }

  async shutDown(): Promise<void> {
    await this.#beam.end('SIGTERM')
  }

  /** It stands still: it holds its connections and answers nobody. */
  freeze(): void {
    this.#beam.signal('SIGSTOP')
  }

  thaw(): void {
    this.#beam.signal('SIGCONT')
  }

  /** Ends the node and what it needs, its folder included. */
  async stop(): Promise<void> {
    const { epmd, watchdog } = this.#surroundings
    await this.kill()
    await epmd.end('SIGKILL')
    await watchdog.release()
  }

  async ctl(...args: string[]): Promise<string> {
    return rabbitmqctl(this.ctlEnv, args)
  }

  async addVhost(name: string): Promise<{ stompUrl: string; amqpUrl: string }> {
    await addVhost(this.ctlEnv, ACCOUNT, name)
    return this.#urls(encodeURIComponent(name))
  }

  #urls(vhost: string): { stompUrl: string; amqpUrl: string } {
    const account = `${ACCOUNT}:${ACCOUNT}`
    return {
      stompUrl: `stomp://${account}@127.0.0.1:${this.stompPort}/${vhost}`,
      amqpUrl: `amqp://${account}@127.0.0.1:${this.amqpPort}/${vhost}`,
    }
  }

  async #untilReady(timeoutMs: number): Promise<void> {
    const giveUpAt = Date.now() + timeoutMs
    while (Date.now() < giveUpAt && this.pid !== undefined) {
      if (await connectsOverStomp(this.stompPort, ACCOUNT, ACCOUNT)) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`RabbitMQ did not start: ${await lastLogLines(this.#plan.dir)}`)
  }
}
