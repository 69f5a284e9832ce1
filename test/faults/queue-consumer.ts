import type { IMessage } from '@stomp/stompjs'
import { deferred, type Deferred } from '../../src/lib/deferred.ts'
import type { FaultNode } from './fault-node.ts'
import { faultToken } from './fault-token.ts'
import type { Stage } from './fault.ts'
import { Hearing } from './hearing.ts'
import { StompLink } from './stomp-link.ts'

const PREFETCH = '20'
const SUBSCRIPTION = 'work'
const ACK = 'ack-'

export interface QueueConsumerParts {
  readonly node: FaultNode
  readonly queue: string
  readonly ledger: QueueLedger
}

/** What all consumers of a queue know together. */
export class QueueLedger {
  /** Hears a message when it is delivered first, and whenever it is delivered after a RECEIPT for its ACK. */
  readonly hearing = new Hearing('queue, client-individual')
  readonly #delivered = new Set<string>()
  readonly #acknowledged = new Set<string>()

  deliver(message: string): void {
    if (!this.#delivered.has(message) || this.#acknowledged.has(message)) this.hearing.hear(message)
    this.#delivered.add(message)
  }

  /** An ACK without a RECEIPT may have taken effect all the same: such a message may come again, or not. */
  acknowledge(message: string): void {
    this.#acknowledged.add(message)
  }
}

/**
 * A client that works through a queue, one acknowledgement a message, each with a receipt. When its broker
 * session breaks it is told by ERROR and a close, comes back and subscribes again.
 */
export class QueueConsumer {
  readonly #parts: QueueConsumerParts
  readonly #link: StompLink
  #subscribed: Deferred<void> = deferred()
  #closed: Deferred<void> = deferred()
  #closes = 0
  /** Closes that no ERROR had announced. */
  silentCloses = 0

  private constructor(stage: Stage, parts: QueueConsumerParts, token: string) {
    this.#parts = parts
    this.#link = new StompLink(stage, {
      cluster: parts.node,
      home: 0,
      token,
      onConnect: () => this.#subscribe(),
      onReceipt: ({ headers }) => this.#onReceipt(headers['receipt-id'] ?? ''),
      onClose: () => this.#onClose(),
    })
  }

  static async start(stage: Stage, parts: QueueConsumerParts): Promise<QueueConsumer> {
    const consumer = new QueueConsumer(stage, parts, await faultToken('consumer', 'service'))
    await consumer.#link.open()
    await consumer.untilSubscribed()
    return consumer
  }

  /** Resolves when its present session is over, and it has subscribed in another one. */
  async untilBack(): Promise<void> {
    await this.#closed.promise
    await this.#subscribed.promise
  }

  async untilSubscribed(): Promise<void> {
    await this.#subscribed.promise
  }

  #subscribe(): void {
    const headers = {
      id: SUBSCRIPTION,
      ack: 'client-individual',
      'prefetch-count': PREFETCH,
      receipt: SUBSCRIPTION,
    } as const
    this.#link.client.subscribe(`/queue/${this.#parts.queue}`, (message) => this.#onMessage(message), headers)
  }

  #onMessage(message: IMessage): void {
    this.#parts.ledger.deliver(message.body)
    message.ack({ receipt: `${ACK}${message.body}` })
  }

  #onReceipt(receipt: string): void {
    if (receipt === SUBSCRIPTION) this.#subscribed.resolve()
    else this.#parts.ledger.acknowledge(receipt.slice(ACK.length))
  }

  #onClose(): void {
    this.#closes += 1
    this.#subscribed = deferred()
    this.#closed.resolve()
    this.#closed = deferred()
    if (this.#link.errors.length < this.#closes) this.silentCloses += 1
  }
}
