import type { FaultNode } from './fault-node.ts'
import { faultToken } from './fault-token.ts'
import type { Stage } from './fault.ts'
import { Speaker } from './speaker.ts'
import { StompLink } from './stomp-link.ts'

export interface QueueProducerParts {
  readonly name: string
  readonly node: FaultNode
  readonly queue: string
}

/**
 * A service that sends to a queue through a broker session of its own. When that breaks it is told by ERROR
 * and a close, comes back, and sends again what had no RECEIPT: it cannot know whether it arrived.
 */
export class QueueProducer extends Speaker {
  readonly #link: StompLink
  readonly #destination: string
  readonly #sends = new Map<string, number>()
  #closes = 0

  private constructor(stage: Stage, { name, node, queue }: QueueProducerParts, token: string) {
    super(name)
    this.#destination = `/queue/${queue}`
    this.#link = new StompLink(stage, {
      cluster: node,
      home: 0,
      token,
      // As long as its broker is away, each try ends at once.
      reconnectMs: 250,
      onConnect: () => {
        for (const message of this.untold) this.#send(message)
      },
      onReceipt: ({ headers }) => this.told(headers['receipt-id'] ?? ''),
      onClose: () => {
        this.#closes += 1
        if (this.#link.errors.length < this.#closes) this.failed('closed without ERROR')
      },
    })
  }

  static async start(stage: Stage, parts: QueueProducerParts): Promise<QueueProducer> {
    const producer = new QueueProducer(stage, parts, await faultToken(parts.name, 'service'))
    await producer.#link.open()
    return producer
  }

  /** How often a message was sent: as often it may arrive. */
  sendsOf(message: string): number {
    return this.#sends.get(message) ?? 0
  }

  protected override publish(message: string): void {
    if (this.#link.client.connected) this.#send(message)
  }

  #send(message: string): void {
    this.#sends.set(message, this.sendsOf(message) + 1)
    const headers = { receipt: message, persistent: 'true' }
    this.#link.client.publish({ destination: this.#destination, body: message, headers })
  }
}
