import { randomBytes } from 'node:crypto'
import type { BrokerUrl } from '../../config/broker-url.ts'
import { MessageError, SessionError } from '../../errors.ts'
import { within } from '../../lib/within.ts'
import type { Log } from '../../telemetry/log.ts'
import type {
  Broker,
  BrokerMessage,
  BrokerReceiver,
  BrokerSession,
  BrokerSessionSink,
  BrokerStatus,
  ConsumeHandler,
  ConsumeOptions,
  Consumer,
  ControlMessage,
  QueueDepth,
  Watch,
  WatchTarget,
} from '../broker.ts'
import { assertRoutable } from './amqp-properties.ts'
import { ClientSession } from './client-session.ts'
import { Control } from './control.ts'
import { PRIVATE_EXCHANGE, type Route, TOPIC_EXCHANGE, USER_EXCHANGE } from './exchanges.ts'
import { Intake } from './intake.ts'
import { NodeLinks } from './node-links.ts'
import { QueueCheck } from './queue-check.ts'
import { askQueueShape } from './queue-shape.ts'
import {
  DEFAULT_LIMITS,
  DEFAULT_TIMEOUTS,
  noCounts,
  type RabbitMqCounters,
  type RabbitMqLimits,
  type RabbitMqTimeouts,
} from './rabbitmq-settings.ts'

export interface RabbitMqBrokerOptions {
  readonly stomp: BrokerUrl
  readonly amqp: BrokerUrl
  /** Part of queue names: the same for no two nodes. */
  readonly nodeId: string
  readonly log: Log
  readonly timeouts?: Partial<RabbitMqTimeouts>
  readonly limits?: Partial<RabbitMqLimits>
}

export interface RabbitMqBrokerWithCounters extends Broker {
  readonly counters: Readonly<RabbitMqCounters>
}

/**
 * The broker port over RabbitMQ 3.10 or later. A node holds one publisher (AMQP confirms), one inbox
 * (STOMP) and one connection for declarations and intake, however many clients it has; a client gets a
 * STOMP connection of its own only through `openSession`.
 */
export function createRabbitMqBroker(options: RabbitMqBrokerOptions): RabbitMqBrokerWithCounters {
  return new RabbitMqBroker(options)
}

class RabbitMqBroker implements RabbitMqBrokerWithCounters {
  readonly counters = noCounts()
  readonly #options: RabbitMqBrokerOptions
  readonly #timeouts: RabbitMqTimeouts
  readonly #limits: RabbitMqLimits
  readonly #listeners = new Set<(status: BrokerStatus) => void>()
  readonly #sessions = new Set<ClientSession>()
  readonly #intakes = new Set<Intake>()
  readonly #links: NodeLinks
  readonly #control: Control
  readonly #queueCheck: QueueCheck
  #receiver: BrokerReceiver | undefined
  #lastStatus = ''
  #closing: Promise<void> | undefined

  constructor(options: RabbitMqBrokerOptions) {
    this.#options = options
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts }
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#control = new Control({
      nodeId: options.nodeId,
      publish: (message) => this.publish(message, { patient: true }),
    })
    this.#links = new NodeLinks({
      ...options,
      boot: randomBytes(9).toString('base64url').replaceAll(/[-_]/g, 'x'),
      timeouts: this.#timeouts,
      limits: this.#limits,
      counters: this.counters,
      receiver: {
        onMessage: (delivery) => {
          if (!this.#control.take(delivery)) this.#receiver?.onMessage(delivery)
        },
        onHole: (reason) => this.#receiver?.onHole(reason),
      },
      onChange: () => this.#tell(),
      onControl: (connection) => {
        for (const intake of this.#intakes) intake.attach(connection)
      },
    })
    this.#queueCheck = new QueueCheck({
      connection: () => this.#links.controlConnection,
      answerMs: this.#timeouts.answerMs,
    })
  }

  async start(receiver: BrokerReceiver): Promise<void> {
    this.#assertOpen()
    this.#receiver = receiver
    // With the first bindings of all: they are never released.
    for (const route of this.#control.routes) void this.#links.bindings.acquire(route)
    this.#links.start()
  }

  async publish(message: BrokerMessage, options?: { patient?: boolean }): Promise<void> {
    this.#assertOpen()
    await this.#links.publisher.publish(message, options?.patient === true)
  }

  async watch(target: WatchTarget): Promise<Watch> {
    this.#assertOpen()
    const route = watchRoute(target)
    assertRoutable(route.key)
    const { bindings } = this.#links
    const bound = bindings.acquire(route)
    let isOpen = true
    const close = (): void => {
      if (isOpen) bindings.release(route)
      isOpen = false
    }
    try {
      await within(bound, this.#timeouts.answerMs, unavailable)
    } catch (error) {
      close()
      throw error
    }
    return { close }
  }

  async openSession(principal: { readonly name: string }, sink: BrokerSessionSink): Promise<BrokerSession> {
    this.#assertOpen()
    const session = new ClientSession({
      url: this.#options.stomp,
      hosts: this.#links.stompHosts,
      user: principal.name,
      sink,
      timeouts: this.#timeouts,
      limits: this.#limits,
      alarm: this.#links.alarm,
      queueCheck: this.#queueCheck,
      onOver: () => this.#sessions.delete(session),
    })
    this.#sessions.add(session)
    await session.open()
    return session
  }

  async consume(queue: string, options: ConsumeOptions, handler: ConsumeHandler): Promise<Consumer> {
    this.#assertOpen()
    assertRoutable(queue)
    const intake = new Intake({
      queue,
      prefetch: options.prefetch,
      handler,
      redeliveryMs: this.#timeouts.redeliveryMs,
      log: this.#options.log,
      declareQueue: async (name) => this.#declareForIntake(name),
      onClosed: () => this.#intakes.delete(intake),
    })
    this.#intakes.add(intake)
    const connection = this.#links.controlConnection
    if (connection !== undefined) intake.attach(connection)
    return intake
  }

  async control(message: ControlMessage, nodeId?: string): Promise<void> {
    this.#assertOpen()
    await this.#control.send(message, nodeId)
  }

  onControl(listener: (message: ControlMessage) => void): () => void {
    return this.#control.listen(listener)
  }

  async queueDepth(queue: string): Promise<QueueDepth | null> {
    this.#assertOpen()
    return this.#queueCheck.depth(queue)
  }

  status(): BrokerStatus {
    const { isUp, isReached, detail, alarm, report, bindings } = this.#links
    const { server } = report
    return {
      isUp,
      detail,
      ...(isReached && alarm.reason !== undefined && { alarm: alarm.reason }),
      ...(server !== undefined && { server: { product: server.product, version: server.version } }),
      bindings: { known: bindings.known, waiting: bindings.waiting },
    }
  }

  onStatus(listener: (status: BrokerStatus) => void): () => void {
    const own = (status: BrokerStatus): void => listener(status)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #close(): Promise<void> {
    for (const session of this.#sessions) {
      session.end(new SessionError('broker-closed', 'the broker is shutting down'))
    }
    await Promise.all([...this.#intakes].map(async (intake) => intake.close()))
    await this.#links.close()
    this.#control.close()
    this.#tell()
    this.#listeners.clear()
  }

  async #declareForIntake(queue: string): Promise<void> {
    const { topology, report, controlConnection } = this.#links
    await topology.declareQueue(queue)
    if (controlConnection === undefined) return
    // It is only told to the operator: whatever goes wrong with it must not keep orders waiting.
    const shape = await askQueueShape(controlConnection, queue).catch(() => undefined)
    if (shape !== undefined) report.onQueue(queue, shape)
  }

  #tell(): void {
    const status = this.status()
    const text = `${String(status.isUp)} ${status.detail}`
    if (text === this.#lastStatus) return
    this.#lastStatus = text
    for (const listener of this.#listeners) listener(status)
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw unavailable()
  }
}

function watchRoute(target: WatchTarget): Route {
  switch (target.kind) {
    case 'topic':
      return { exchange: TOPIC_EXCHANGE, key: target.pattern }
    case 'private':
      return { exchange: PRIVATE_EXCHANGE, key: target.topic }
    case 'user':
      return { exchange: USER_EXCHANGE, key: target.user }
  }
}

function unavailable(): MessageError {
  return new MessageError('broker-unavailable', 'the broker is away')
}
