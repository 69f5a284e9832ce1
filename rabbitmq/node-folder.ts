import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface NodePorts {
  readonly amqp: number
  readonly stomp: number
  /** 0 without Web STOMP. */
  readonly webStomp: number
  readonly dist: number
  readonly cli: number
  /** Of the nodes of a cluster all the same. */
  readonly epmd: number
}

/** Where a node keeps its things and how it differs from others. */
export interface NodePlan {
  /** `relay@localhost` */
  readonly name: string
  readonly dir: string
  /** Holds the cookie: of the nodes of a cluster all the same. */
  readonly home: string
  readonly ports: NodePorts
  /** Lines of `rabbitmq.conf` besides those that all have. */
  readonly settings: readonly string[]
}

const CLI_PORTS = 30

/** Writes the cookie where there is none yet: before nodes and their command line tools race to make one. */
export async function writeCookie(home: string): Promise<string> {
  await mkdir(home, { recursive: true })
  const file = join(home, '.erlang.cookie')
  if (!existsSync(file)) await writeFile(file, randomBytes(16).toString('hex'), { mode: 0o400 })
  return readFile(file, 'utf8')
}

/** Writes what the node reads at its start. */
export async function writeNodeFolder({ dir, home, ports, settings }: NodePlan): Promise<void> {
  const base = await readFile(new URL('rabbitmq.conf', import.meta.url), 'utf8')
  const lines = [
    base,
    '# What follows differs per private node.',
    `listeners.tcp.default = 127.0.0.1:${ports.amqp}`,
    `stomp.listeners.tcp.default = 127.0.0.1:${ports.stomp}`,
    ...(ports.webStomp === 0 ? [] : [`web_stomp.tcp.listener = 127.0.0.1:${ports.webStomp}`]),
    ...settings,
    'log.console = false',
    'log.file = node.log',
    'log.file.level = info',
  ]
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'node.conf'), `${lines.join('\n')}\n`)
  const plugins = ports.webStomp === 0 ? 'rabbitmq_stomp' : 'rabbitmq_stomp,rabbitmq_web_stomp'
  await writeFile(join(dir, 'enabled_plugins'), `[${plugins}].\n`)
  await writeCookie(home)
}

/** What leads the server's scripts and `rabbitmqctl` to this node and to nothing else on the machine. */
export function nodeEnvironment({ name, dir, home, ports }: NodePlan): Record<string, string> {
  const loopback = '-kernel inet_dist_use_interface {127,0,0,1}'
  return {
    HOME: home,
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_NODENAME: name,
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
    RABBITMQ_CTL_DIST_PORT_MAX: String(ports.cli + CLI_PORTS),
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_CRASH_DUMP_BYTES: '0',
  }
}

/** The end of the node's log, for whoever wonders why it did not start. */
export async function lastLogLines(dir: string): Promise<string> {
  const text = await readFile(join(dir, 'log', 'node.log'), 'utf8').catch(() => 'no log was written')
  return text.split('\n').slice(-12).join('\n')
}
