import { MessageError, SessionError } from '../../errors.ts'
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
import { Intake } from './intake.ts'
import { DEFAULT_MEMORY_LIMITS, type MemoryCounters, type MemoryLimits, noCounts } from './memory-limits.ts'
import { MemoryRouter } from './memory-router.ts'
import { MemorySession } from './memory-session.ts'
import { Turn } from './turn.ts'

export interface MemoryBrokerOptions {
  readonly limits?: Partial<MemoryLimits>
  readonly log?: Pick<Log, 'warn'>
  /** Default: none, so that messages to a name reach nobody. */
  readonly nodeId?: string
}

export interface MemoryBrokerWithCounters extends Broker {
  readonly counters: Readonly<MemoryCounters>
}

/**
 * The broker within this process: nothing to install, nothing kept over a restart, one node only.
 * Queues, acknowledgements and topics behave as on RabbitMQ; of `/exchange` it knows `amq.topic`.
 */
export function createMemoryBroker(options: MemoryBrokerOptions = {}): MemoryBrokerWithCounters {
  return new MemoryBroker({ ...DEFAULT_MEMORY_LIMITS, ...options.limits }, options)
}

class MemoryBroker implements MemoryBrokerWithCounters {
  readonly counters = noCounts()
  readonly #limits: MemoryLimits
  readonly #log: Pick<Log, 'warn'> | undefined
  readonly #nodeId: string
  readonly #turn = new Turn()
  readonly #router: MemoryRouter
  readonly #sessions = new Set<MemorySession>()
  readonly #intakes = new Set<Intake>()
  readonly #listeners = new Set<(status: BrokerStatus) => void>()
  readonly #controlListeners = new Set<(message: ControlMessage) => void>()
  #state: 'new' | 'up' | 'closed' = 'new'
  #sessionsMade = 0
  #closing: Promise<void> | undefined

  constructor(limits: MemoryLimits, { log, nodeId = '' }: Pick<MemoryBrokerOptions, 'log' | 'nodeId'>) {
    this.#limits = limits
    this.#log = log
    this.#nodeId = nodeId
    this.#router = new MemoryRouter({ limits, counters: this.counters, turn: this.#turn })
  }

  async start(receiver: BrokerReceiver): Promise<void> {
    this.#assertOpen()
    this.#router.receiver = receiver
    this.#enter('up')
  }

  async queueDepth(queue: string): Promise<QueueDepth | null> {
    this.#assertOpen()
    const found = this.#router.queues.get(queue)
    if (found === undefined || found.isPrivate) return null
    return { messages: found.size, consumers: found.consumers }
  }

  async publish(message: BrokerMessage, _options?: { patient?: boolean }): Promise<void> {
    this.#assertOpen()
    this.#router.publish(message)
  }

  async watch(target: WatchTarget): Promise<Watch> {
    this.#assertOpen()
    this.#router.watch(target)
    let isOpen = true
    return {
      close: () => {
        if (isOpen) this.#router.unwatch(target)
        isOpen = false
      },
    }
  }

  async openSession(_principal: { readonly name: string }, sink: BrokerSessionSink): Promise<BrokerSession> {
    this.#assertOpen()
    this.#sessionsMade += 1
    const session = new MemorySession({
      id: `memory-${this.#sessionsMade}`,
      router: this.#router,
      sink,
      onClose: (closed) => this.#sessions.delete(closed),
    })
    this.#sessions.add(session)
    return session
  }

  async consume(queue: string, { prefetch }: ConsumeOptions, handler: ConsumeHandler): Promise<Consumer> {
    this.#assertOpen()
    const { redeliveryMs, closeTimeoutMs } = this.#limits
    const intake = new Intake({
      queue: this.#router.queues.declare(queue),
      prefetch,
      handler,
      redeliveryMs,
      closeTimeoutMs,
      onClose: (closed, left) => {
        this.#intakes.delete(closed)
        this.#countLeft(queue, left)
      },
    })
    this.#intakes.add(intake)
    return intake
  }

  /** There is no other node. Never within the call, as over a network. */
  async control({ kind, body }: ControlMessage, nodeId = this.#nodeId): Promise<void> {
    this.#assertOpen()
    if (nodeId !== this.#nodeId) return
    setImmediate(() => {
      for (const listener of this.#controlListeners) listener({ kind, body })
    })
  }

  onControl(listener: (message: ControlMessage) => void): () => void {
    this.#controlListeners.add(listener)
    return () => {
      this.#controlListeners.delete(listener)
    }
  }

  status(): BrokerStatus {
    const detail = { new: 'not started', up: 'in this process', closed: 'closed' }[this.#state]
    return { isUp: this.#state === 'up', detail }
  }

  onStatus(listener: (status: BrokerStatus) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    this.#enter('closed')
    this.#router.receiver = undefined
    const error = new SessionError('broker-closed', 'the broker is shutting down')
    await Promise.all([...this.#sessions].map((session) => session.end(error)))
    await Promise.all([...this.#intakes].map((intake) => intake.close()))
    this.#turn.close()
    this.#controlListeners.clear()
  }

  #countLeft(queue: string, left: number): void {
    if (left === 0) return
    this.counters.leftByConsumer += left
    this.#log?.warn({ event: 'messages-left', queue, left }, 'a queue was not empty when its consumer closed')
  }

  #enter(state: 'up' | 'closed'): void {
    this.#state = state
    for (const listener of this.#listeners) listener(this.status())
  }

  #assertOpen(): void {
    if (this.#state === 'closed') throw new MessageError('broker-unavailable', 'the broker is shutting down')
  }
}
