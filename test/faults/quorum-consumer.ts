import type { IMessage } from '@stomp/stompjs'
import { deferred } from '../../src/lib/deferred.ts'
import type { FaultNode } from './fault-node.ts'
import { faultToken } from './fault-token.ts'
import type { Stage } from './fault.ts'
import { QueueLedger } from './queue-consumer.ts'
import { StompLink } from './stomp-link.ts'

/** A client that consumes a queue kept on several nodes, acknowledges each message, and connects again. */
export class QuorumConsumer {
  readonly ledger = new QueueLedger()
  readonly #link: StompLink
  readonly #destination: string
  readonly #subscribed = deferred()

  private constructor(stage: Stage, where: { node: FaultNode; destination: string; token: string }) {
    this.#destination = where.destination
    this.#link = new StompLink(stage, {
      cluster: where.node,
      home: 0,
      token: where.token,
      onConnect: () => this.#subscribe(),
      onReceipt: ({ headers }) => this.#onReceipt(headers['receipt-id'] ?? ''),
      onClose: () => undefined,
    })
  }

  /** Resolves when it consumes. */
  static async start(stage: Stage, where: { node: FaultNode; destination: string }): Promise<QuorumConsumer> {
    const consumer = new QuorumConsumer(stage, { ...where, token: await faultToken('consumer', 'service') })
    await consumer.#link.open()
    await consumer.#subscribed.promise
    return consumer
  }

  #subscribe(): void {
    const headers = {
      id: 'q',
      receipt: 'subscribed',
      ack: 'client-individual',
      'x-queue-type': 'quorum',
      'prefetch-count': '20',
    }
    this.#link.client.subscribe(this.#destination, (message) => this.#take(message), headers)
  }

  #take(message: IMessage): void {
    this.ledger.deliver(message.body)
    message.ack({ receipt: message.body })
  }

  #onReceipt(receipt: string): void {
    if (receipt === 'subscribed') this.#subscribed.resolve()
    else this.ledger.acknowledge(receipt)
  }
}
