import { Decoder } from '../../protocol/decoder.ts'
import { header, SERVER_COMMANDS, type ClientCommand, type Frame } from '../../protocol/frame.ts'
import { App } from '../../src/app/app.ts'
import type { PolicyFacts } from '../../src/auth/policy.ts'
import type { Role } from '../../src/auth/principal.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { Hub } from '../../src/fanout/hub.ts'
import { Inbound } from '../../src/inbound/inbound.ts'
import type { Interceptor } from '../../src/inbound/chain.ts'
import { within } from '../../src/lib/within.ts'
import type { EncodedBatch, EncodedFrame, SessionTransport } from '../../src/session/transport.ts'
import { Session } from '../../src/session/session.ts'
import { TurnShare } from '../../src/session/turn-share.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { SessionRegistry } from '../../src/user/session-registry.ts'
import { PUBLIC_ROOMS } from './facts.ts'

const PATIENCE_MS = 60_000

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

/** A transport that ends in memory, for what no socket shows: the order of events within a turn. */
export class RecordingTransport implements SessionTransport {
  readonly remoteAddress = '127.0.0.1'
  readonly frames: Frame[] = []
  closedWith: { code: number; reason: string } | undefined
  pauses = 0
  isPaused = false
  heartBeat: readonly [number, number] | undefined
  /** Set where the client does not read. */
  whenRead: Promise<void> | undefined
  #wake: (() => void)[] = []
  readonly #decoder = new Decoder({
    limits: { frameBytes: 16_777_216, headers: 1000, headerBytes: 1_048_576 },
    commands: SERVER_COMMANDS,
    sink: { onFrame: (frame) => this.frames.push(frame), onHeartBeat: () => undefined },
  })

  send({ bytes }: EncodedFrame): void {
    this.#decoder.decode(bytes)
    this.#notify()
  }

  deliver(batch: EncodedBatch): void {
    for (const frame of batch.frames) this.send(frame)
  }

  room(): Promise<void> | undefined {
    return this.whenRead
  }

  startHeartBeat(sendMs: number, receiveMs: number): void {
    this.heartBeat = [sendMs, receiveMs]
  }

  pause(): void {
    this.pauses++
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  close(code: number, reason: string): void {
    this.closedWith ??= { code, reason }
    this.#notify()
  }

  async until(holds: () => boolean): Promise<void> {
    const wait = async (): Promise<void> => {
      while (!holds()) await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
    const seen = (): string =>
      this.frames.map(({ command, headers }) => `${command} ${headers.join(' ')}`).join(' | ')
    await within(wait(), PATIENCE_MS, () => new Error(`it never came true; seen: ${seen()}`))
  }

  async frame(command: Frame['command']): Promise<Frame> {
    await this.until(() => this.frames.some((frame) => frame.command === command))
    const i = this.frames.findIndex((frame) => frame.command === command)
    return this.frames.splice(i, 1)[0]!
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = []
    for (const resolve of wake) resolve()
  }
}

export interface SessionRig {
  readonly session: Session
  readonly transport: RecordingTransport
  readonly app: App
  readonly broker: Broker
  readonly registry: SessionRegistry
  /** What the registry was told: `alice opened`, `alice entered tea`. */
  readonly attendance: readonly string[]
  /** What the session was handed of private messages: for whom, and the bodies. */
  readonly handed: readonly (readonly [user: string, bodies: readonly string[]])[]
  readonly receive: (command: ClientCommand, headers?: readonly string[], body?: string) => void
  /** CONNECT, until CONNECTED. */
  readonly connect: () => Promise<void>
}

/**
 * One session on real parts (application, hub, in-process broker) with interceptors of the test's
 * choice; the first one must say who it is. @param who an admin, unless told otherwise
 */
export async function sessionRig(
  t: Teardown,
  interceptors: readonly Interceptor[] = [],
  who: { facts?: PolicyFacts; role?: Role } = {},
): Promise<SessionRig> {
  const { facts = { ...PUBLIC_ROOMS, ownsOrder: async () => false }, role = 'admin' } = who
  const broker = createMemoryBroker()
  t.teardown(() => broker.close())
  const hub = new Hub({ broker, nodeId: 'test' })
  t.teardown(() => hub.close())
  await broker.start(hub)
  const app = new App()
  const attendance: string[] = []
  const handed: (readonly [string, string[]])[] = []
  const registry = new SessionRegistry({
    maxPerUser: 20,
    observer: {
      opened: ({ view }) => attendance.push(`${view.principal.name} opened`),
      closed: ({ view }) => attendance.push(`${view.principal.name} closed`),
      entered: (user, room) => attendance.push(`${user} entered ${room}`),
      left: (user, room) => attendance.push(`${user} left ${room}`),
    },
  })
  const identify: Interceptor = (call) => {
    if (call.kind === 'CONNECT' && header(call.headers, 'login') !== undefined) {
      call.principal = { name: header(call.headers, 'login') ?? '', roles: [role] }
    }
  }
  const inbound = new Inbound({ interceptors: [identify, ...interceptors], app, broker, facts })
  const transport = new RecordingTransport()
  const session = new Session(
    {
      inbound,
      hub,
      registry,
      turnShare: new TurnShare(),
      deliveries: {
        handed: (user, messages) =>
          handed.push([user, messages.map(({ delivery }) => Buffer.from(delivery.body).toString())]),
      },
      metrics: createMetrics(),
      log: createLog({ level: 'silent', nodeId: 'test' }),
      serverName: 'test/1',
      limits: { subscriptions: 10 },
      disconnectTimeoutMs: 200,
    },
    transport,
    {},
  )
  t.teardown(() => session.end())
  const receive = (command: ClientCommand, headers: readonly string[] = [], body = ''): void =>
    session.receive({ command, headers, body: Buffer.from(body) })
  return {
    session,
    transport,
    app,
    broker,
    registry,
    attendance,
    handed,
    receive,
    async connect() {
      receive('CONNECT', ['accept-version', '1.2', 'login', 'alice'])
      await transport.frame('CONNECTED')
    },
  }
}
