import type { BrokerUrl } from '../../config/broker-url.ts'
import { deferred } from '../../lib/deferred.ts'
import type { Log } from '../../telemetry/log.ts'
import type { BrokerReceiver } from '../broker.ts'
import { Alarm } from './alarm.ts'
import { AmqpConnection, type AmqpOptions } from './amqp-connection.ts'
import { Bindings } from './bindings.ts'
import { CONTROL_BINDINGS } from './control.ts'
import { HostOrder } from './host-order.ts'
import { Inbox } from './inbox.ts'
import { type Connected, Link } from './link.ts'
import { Publisher } from './publisher.ts'
import type { RabbitMqCounters, RabbitMqLimits, RabbitMqTimeouts } from './rabbitmq-settings.ts'
import type { Sender } from './relay-headers.ts'
import { RelayMark } from './relay-mark.ts'
import { SendWindow } from './send-window.ts'
import { ServerReport } from './server-report.ts'
import { StompConnection } from './stomp-connection.ts'
import { Topology } from './topology.ts'

export interface NodeLinksOptions {
  readonly stomp: BrokerUrl
  readonly amqp: BrokerUrl
  readonly nodeId: string
  /** Different at each start of a node. */
  readonly boot: string
  readonly log: Log
  readonly timeouts: RabbitMqTimeouts
  readonly limits: RabbitMqLimits
  readonly counters: RabbitMqCounters
  readonly receiver: BrokerReceiver
  onChange(): void
  /** A new control connection, on which intake consumes. */
  onControl(connection: AmqpConnection): void
}

/** What ends so is declared by nobody but nodes, and any other queue may be by a service's plain SEND: classic. */
const DEAD_LETTER_SUFFIX = '.dead-letter'

/** Everything a node may take to say goodbye to a broker that answers. */
const GOODBYE_MS = 1_000

/**
 * The three links of a node and how they depend on each other: the control link declares and binds, then
 * the inbox consumes what was declared, and the publisher sends to it, and fences the inbox.
 */
export class NodeLinks {
  readonly alarm: Alarm
  readonly publisher: Publisher
  readonly bindings: Bindings
  readonly topology: Topology
  readonly report: ServerReport
  /** For clients' own sessions too: what the inbox has found good is where they begin. */
  readonly stompHosts: HostOrder
  readonly #options: NodeLinksOptions
  readonly #window: SendWindow
  readonly #inbox: Inbox
  readonly #amqpHosts: HostOrder
  readonly #publisherLink: Link<AmqpConnection>
  readonly #controlLink: Link<AmqpConnection>
  readonly #inboxLink: Link<StompConnection>
  /** Which inboxes have been given up, so that each is renewed once. */
  #isRenewing = false
  #isClosing = false
  #wasBound = false
  readonly #onTopology = new Set<() => void>()

  constructor(options: NodeLinksOptions) {
    this.#options = options
    const { timeouts, limits, counters, stomp, amqp } = options
    this.stompHosts = new HostOrder(stomp.hosts)
    this.#amqpHosts = new HostOrder(amqp.hosts)
    this.alarm = new Alarm({ log: options.log, counters, onChange: () => options.onChange() })
    this.report = new ServerReport(options.log)
    const sender: Sender = { account: amqp.user, boot: options.boot, mark: new RelayMark(amqp) }
    this.bindings = new Bindings({
      // The bound is for what clients want.
      maxBindings: limits.bindings + CONTROL_BINDINGS,
      maxLingering: limits.lingering,
      lingerMs: timeouts.lingerMs,
    })
    this.topology = new Topology({
      bindings: this.bindings,
      inboxPrefix: `stomp-relay.inbox.${options.nodeId}.${options.boot}`,
      inboxExpiresMs: timeouts.inboxExpiresMs,
      inboxMessages: limits.inboxMessages,
      inboxBytes: limits.inboxBytes,
      onLost: () => this.#inbox.hole('the inbox overflowed'),
      onBroken: (error) => this.#renew(error.message),
    })
    const { pendingMessages: maxMessages, pendingBytes: maxBytes } = limits
    this.#window = new SendWindow({ maxMessages, maxBytes, timeoutMs: timeouts.publishMs })
    this.publisher = new Publisher({
      sender,
      window: this.#window,
      counters,
      probeMs: timeouts.probeMs,
      declareQueue: async (queue) => this.#declareQueue(queue),
      onMissingExchange: () => this.#controlLink.reset(),
    })
    this.#inbox = new Inbox({
      sender,
      timeouts,
      limits,
      counters,
      receiver: options.receiver,
      queue: () => this.topology.inbox,
      sendFence: (queue, fence) => this.publisher.sendFence(queue, fence),
      canFence: () => this.publisher.isReady,
      onGone: (reason) => this.#renew(reason),
      onStalled: () => this.#inboxLink.reset(),
    })
    this.#publisherLink = this.#makePublisherLink()
    this.#controlLink = this.#makeControlLink()
    this.#inboxLink = this.#makeInboxLink()
  }

  get isUp(): boolean {
    return this.isReached && !this.alarm.isOn
  }

  /** Whether all links are up; under an alarm, RabbitMQ takes nothing over them all the same. */
  get isReached(): boolean {
    return this.#publisherLink.isUp && this.#controlLink.isUp && this.#inboxLink.isUp
  }

  get detail(): string {
    const blocked = this.alarm.isOn ? ` (blocked by an alarm of the broker: ${this.alarm.reason})` : ''
    return [`${this.#publisherLink.detail}${blocked}`, this.#controlLink.detail, this.#inboxLink.detail].join(
      '; ',
    )
  }

  get controlConnection(): AmqpConnection | undefined {
    return this.#controlLink.isUp ? this.#controlLink.current : undefined
  }

  start(): void {
    this.#controlLink.start()
    this.#publisherLink.start()
    this.#inboxLink.start()
  }

  async close(): Promise<void> {
    this.#isClosing = true
    this.#wakeInbox()
    await this.#inboxLink.close()
    await this.#removeQueues()
    await Promise.all([this.#publisherLink.close(), this.#controlLink.close()])
    this.bindings.detach()
    this.#window.clear('the node is closing')
  }

  /** Who names several hosts has a cluster, where a classic queue would be lost with its one node. */
  async #declareQueue(queue: string): Promise<void> {
    const isReplicated = this.#options.amqp.hosts.length > 1 && queue.endsWith(DEAD_LETTER_SUFFIX)
    await this.topology.declareQueue(queue, { isReplicated })
  }

  async #removeQueues(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, GOODBYE_MS)
    })
    // What cannot be removed now expires by itself.
    await Promise.race([this.topology.remove().catch(() => undefined), timeout])
    clearTimeout(timer)
  }

  #makePublisherLink(): Link<AmqpConnection> {
    return new Link({
      name: 'publisher',
      hosts: this.#amqpHosts,
      ...this.#linkBasics(),
      open: async (host, signal) => AmqpConnection.open(host, this.#amqpOptions('publisher'), signal),
      setUp: async (connection) => {
        connection.onBlocked = (reason) => this.#onBlocked(reason)
        // A broker that restarted has lost our exchanges and bindings: what is sent again before they are
        // back would be confirmed, and reach nobody.
        await this.#topologyReady(connection)
        await this.publisher.attach(connection)
        this.#inbox.onPublisherUp()
      },
      onDown: () => {
        this.#options.counters.reconnects += 1
        this.publisher.detach()
        this.alarm.end(false)
      },
    })
  }

  #makeControlLink(): Link<AmqpConnection> {
    return new Link({
      name: 'control',
      hosts: this.#amqpHosts,
      ...this.#linkBasics(),
      open: async (host, signal) => AmqpConnection.open(host, this.#amqpOptions('control'), signal),
      setUp: async (connection) => {
        this.report.onConnection(connection)
        const before = this.topology.inbox
        await this.topology.attach(connection)
        // Given up meanwhile: another one may have been attached since.
        if (!connection.isOpen) throw new Error('the link broke meanwhile')
        if (this.topology.inbox !== before) this.#inboxLink.reset()
        this.#onBound('bindings were made anew')
        this.publisher.onControlUp()
        this.#options.onControl(connection)
      },
      onDown: () => {
        this.#options.counters.reconnects += 1
        this.topology.detach()
      },
    })
  }

  #makeInboxLink(): Link<StompConnection> {
    const { stomp, timeouts } = this.#options
    const options = {
      url: stomp,
      connectTimeoutMs: timeouts.connectMs,
      heartBeatMs: timeouts.heartBeatMs,
      onFrame: this.#inbox.onFrame.bind(this.#inbox),
    }
    return new Link({
      name: 'inbox',
      hosts: this.stompHosts,
      ...this.#linkBasics(),
      open: async (host, signal) => StompConnection.open(host, options, signal),
      setUp: async (connection) => {
        await this.#topologyReady(connection)
        await this.#inbox.attach(connection)
      },
      onDown: () => {
        this.#options.counters.reconnects += 1
        this.#inbox.detach()
      },
    })
  }

  #onBlocked(reason: string | undefined): void {
    if (reason !== undefined) {
      this.alarm.begin(reason)
      return
    }
    this.publisher.onUnblocked()
    // A fence that waited in the broker's socket has not been slow.
    this.#inbox.onPublisherUp()
    this.alarm.end(true)
  }

  #linkBasics(): { log: Log; setUpTimeoutMs: number; onChange: () => void } {
    const { log, timeouts } = this.#options
    return { log, setUpTimeoutMs: timeouts.setUpMs, onChange: () => this.#options.onChange() }
  }

  #amqpOptions(purpose: string): AmqpOptions {
    const { amqp, nodeId, timeouts } = this.#options
    return {
      url: amqp,
      name: `stomp-relay ${nodeId} ${purpose}`,
      connectTimeoutMs: timeouts.connectMs,
      heartBeatMs: timeouts.heartBeatMs,
    }
  }

  /** Bindings that were made anew may have missed messages, unless they are the first. */
  #onBound(reason: string): void {
    if (this.#wasBound) this.#inbox.hole(reason)
    this.#wasBound = true
    this.#wakeInbox()
  }

  #wakeInbox(): void {
    for (const wake of this.#onTopology) wake()
  }

  /** @throws Error where the connection breaks while it waits: who is set up later must not use it */
  async #topologyReady(connection: Connected): Promise<void> {
    const over = connection.closed.then(() => true)
    while (!this.topology.isReady && !this.#isClosing) {
      const woken = deferred()
      this.#onTopology.add(woken.resolve)
      const isOver = await Promise.race([woken.promise, over])
      this.#onTopology.delete(woken.resolve)
      if (isOver === true) throw new Error('the link broke meanwhile')
    }
  }

  #renew(reason: string): void {
    if (this.#isRenewing || this.#isClosing) return
    this.#isRenewing = true
    this.#options.log.warn({ event: 'broker-inbox-renewed', reason }, 'the inbox gets another name')
    this.#inboxLink.reset()
    const connection = this.#controlLink.current
    this.topology
      .renew()
      .catch(() => undefined)
      .then(() => {
        this.#isRenewing = false
        if (this.topology.isReady) this.#onBound(reason)
        // The next connection builds it; where there is another one already, that does.
        else if (!this.#isClosing) connection?.destroy()
      })
      .catch((error: unknown) =>
        this.#options.log.error({ event: 'broker-fault', err: error }, 'a fault of ours'),
      )
  }
}
