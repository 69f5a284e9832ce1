import type { HeaderList } from '../../../protocol/frame.ts'
import { MessageError } from '../../errors.ts'
import { ownedBytes } from '../../lib/owned-bytes.ts'
import type { Address, BrokerMessage, BrokerReceiver, Delivery, WatchTarget } from '../broker.ts'
import type { MemoryCounters, MemoryLimits } from './memory-limits.ts'
import type { Content, MemoryQueue } from './memory-queue.ts'
import { QueueTable } from './queue-table.ts'
import { parseSessionDestination, queueDestination, topicDestination } from './session-destination.ts'
import { TopicExchange } from './topic-exchange.ts'
import type { Turn } from './turn.ts'
import { WatchCounts } from './watch-counts.ts'

/** A queue to read from, and what to do with it when nobody reads any more. */
export interface Attachment {
  readonly queue: MemoryQueue
  readonly dispose: () => void
}

interface SessionSend {
  readonly destination: string
  readonly headers: HeaderList
  readonly body: Uint8Array
}

export interface MemoryRouterOptions {
  readonly limits: MemoryLimits
  readonly counters: MemoryCounters
  readonly turn: Turn
}

/** Where messages go, whoever publishes them: to the hub, to topic subscriptions, to queues. */
export class MemoryRouter {
  readonly limits: MemoryLimits
  readonly counters: MemoryCounters
  readonly queues: QueueTable
  receiver: BrokerReceiver | undefined
  readonly #topics = new TopicExchange()
  readonly #privates = new WatchCounts()
  readonly #users = new WatchCounts()

  constructor(options: MemoryRouterOptions) {
    this.limits = options.limits
    this.counters = options.counters
    this.queues = new QueueTable(options)
  }

  watch(target: WatchTarget): void {
    if (target.kind === 'topic') this.#topics.watch(target.pattern)
    else if (target.kind === 'private') this.#privates.add(target.topic)
    else this.#users.add(target.user)
  }

  unwatch(target: WatchTarget): void {
    if (target.kind === 'topic') this.#topics.unwatch(target.pattern)
    else if (target.kind === 'private') this.#privates.remove(target.topic)
    else this.#users.remove(target.user)
  }

  /** @throws MessageError where a queue refuses the message */
  publish({ address, headers, body, eventId }: BrokerMessage): void {
    if (address.kind === 'queue') {
      this.#pushTo(this.queues.declare(address.queue), headers, body)
      return
    }
    const event = eventId === undefined ? {} : { eventId }
    if (this.#isWanted(address, headers, body)) this.#tellHub({ address, headers, body, ...event })
  }

  /** @throws MessageError where the destination is not ours, or a queue refuses the message */
  send({ destination, headers, body }: SessionSend): void {
    const parsed = parseSessionDestination(destination)
    if (parsed.kind === 'topic') {
      const address: Delivery['address'] = { kind: 'topic', topic: parsed.topic }
      if (this.#isWanted(address, headers, body)) this.#tellHub({ address, headers, body })
      return
    }
    const queue = parsed.mustExist ? this.queues.get(parsed.queue) : this.queues.declare(parsed.queue)
    // As on RabbitMQ, whose default exchange drops what no queue bears the name of, and confirms it.
    if (queue === undefined) this.counters.unroutable += 1
    else this.#pushTo(queue, headers, body)
  }

  /**
   * @throws MessageError `unknown-destination`, `invalid-destination`, and `broker-refused` for too many
   * queues, and for a private queue, which only its own subscription reads (RabbitMQ: RESOURCE_LOCKED)
   */
  attach(destination: string): Attachment {
    const parsed = parseSessionDestination(destination)
    if (parsed.kind === 'topic') return this.#attachTopic(parsed.topic)
    const queue = parsed.mustExist ? this.queues.get(parsed.queue) : this.queues.declare(parsed.queue)
    if (queue === undefined) throw new MessageError('unknown-destination', 'no such queue')
    if (queue.isPrivate) throw new MessageError('broker-refused', 'the queue belongs to one session')
    return { queue, dispose: () => {} }
  }

  attachReplyQueue(): Attachment {
    const queue = this.queues.declarePrivate('refuse')
    return {
      queue,
      dispose: () => {
        this.queues.delete(queue)
      },
    }
  }

  #attachTopic(pattern: string): Attachment {
    // A reader that lags loses its oldest messages; publishers are not held up for it.
    const queue = this.queues.declarePrivate('drop-oldest')
    this.#topics.bind(pattern, queue)
    return {
      queue,
      dispose: () => {
        this.#topics.unbind(pattern, queue)
        this.queues.delete(queue)
      },
    }
  }

  #isWanted(address: Exclude<Address, { kind: 'queue' }>, headers: HeaderList, body: Uint8Array): boolean {
    if (address.kind === 'private') return this.#privates.has(address.topic)
    if (address.kind === 'user') return this.#users.has(address.user)
    const { topic } = address
    return this.#topics.route(topic, () => contentOf(topicDestination(topic), headers, body))
  }

  #tellHub(delivery: Delivery): void {
    this.receiver?.onMessage(delivery)
  }

  #pushTo(queue: MemoryQueue, headers: HeaderList, body: Uint8Array): void {
    const isTaken = queue.push(contentOf(queueDestination(queue.name), headers, body))
    if (!isTaken) throw new MessageError('broker-refused', 'the queue is full')
  }
}

function contentOf(destination: string, headers: HeaderList, body: Uint8Array): Content {
  let bytes = body.byteLength
  for (const text of headers) bytes += text.length
  return { destination, headers, body: ownedBytes(body), bytes }
}
