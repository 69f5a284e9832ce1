import type { Options } from 'amqplib'
import { header, type HeaderList } from '../../../protocol/frame.ts'
import type { QueueCheck } from './queue-check.ts'
import { INTEGER_ARGUMENTS } from './session-rules.ts'

export interface DeclaredQueuesOptions {
  readonly check: QueueCheck
  /** How long a queue that was there is believed to be there, milliseconds. */
  readonly believedMs: number
  readonly max: number
}

const PREFIX = '/queue/'

/**
 * The queues that one client's session has used. RabbitMQ declares `/queue/…` once a connection: where
 * the queue has gone since, it ends the connection for a SUBSCRIBE, and loses SENDs without a word.
 */
export class DeclaredQueues {
  readonly #options: DeclaredQueuesOptions
  /** When each was last known to be there, by `performance.now()`. */
  readonly #knownAt = new Map<string, number>()
  #hasForgotten = false

  constructor(options: DeclaredQueuesOptions) {
    this.#options = options
  }

  /**
   * What has to be done before a SEND or SUBSCRIBE to this destination goes out.
   *
   * @param options.isSure whether a queue that may have gone would do more harm than to be asked after
   */
  before(
    destination: string,
    headers: HeaderList,
    { isSure }: { isSure: boolean },
  ): (() => Promise<void>) | undefined {
    // An exclusive queue is its connection's own: nobody else can make it.
    const isExclusive = header(headers, 'durable') === 'false' || header(headers, 'exclusive') === 'true'
    if (!destination.startsWith(PREFIX) || isExclusive) return undefined
    const queue = nameOf(destination)
    const knownAt = this.#knownAt.get(queue)
    const now = performance.now()
    const isBelieved = knownAt !== undefined && now - knownAt < this.#options.believedMs
    if (isBelieved && !isSure) return undefined
    this.#remember(queue, now)
    // The first time RabbitMQ declares it.
    if (knownAt === undefined && !this.#hasForgotten) return undefined
    return async () => this.#options.check.ensure(queue, shapeOf(headers))
  }

  /** A subscription to it has ended: it may have gone with that. */
  doubt(destination: string): void {
    const queue = nameOf(destination)
    if (this.#knownAt.has(queue)) this.#knownAt.set(queue, -Infinity)
  }

  #remember(queue: string, now: number): void {
    this.#knownAt.delete(queue)
    this.#knownAt.set(queue, now)
    if (this.#knownAt.size <= this.#options.max) return
    const [oldest] = this.#knownAt.keys()
    if (oldest !== undefined) this.#knownAt.delete(oldest)
    this.#hasForgotten = true
  }
}

/** RabbitMQ decodes `%2F`, and only that. */
function nameOf(destination: string): string {
  return destination.slice(PREFIX.length).replaceAll(/%2F/gi, '/')
}

const TEXT_ARGUMENTS = ['x-dead-letter-exchange', 'x-dead-letter-routing-key', 'x-queue-type', 'x-max-age']
/** What the plugin would declare for these headers. */
function shapeOf(headers: HeaderList): Options.AssertQueue {
  const found: Record<string, string | number> = {}
  for (const name of TEXT_ARGUMENTS) {
    const value = header(headers, name)
    if (value !== undefined) found[name] = value
  }
  for (const name of INTEGER_ARGUMENTS) {
    const value = header(headers, name)
    if (value !== undefined) found[name] = Number(value)
  }
  return { durable: true, autoDelete: header(headers, 'auto-delete') === 'true', arguments: found }
}
