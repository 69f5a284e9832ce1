import type { FaultNode } from './fault-node.ts'
import { faultToken } from './fault-token.ts'
import type { Stage } from './fault.ts'
import { Speaker } from './speaker.ts'
import { StompLink } from './stomp-link.ts'

export interface QuorumRoute {
  readonly node: FaultNode
  readonly destination: string
  /** What it sends as this message. Default the message itself. */
  bodyOf?(message: string): string
}

/** A client that sends to a queue by a session of its own. It connects again, but says nothing twice. */
export class QuorumSpeaker extends Speaker {
  /** What had no receipt when a connection broke: it may have arrived or not. */
  readonly doubtful = new Set<string>()
  readonly #link: StompLink
  readonly #route: QuorumRoute
  /** On the present connection. */
  readonly #sent = new Set<string>()
  readonly #unsent = new Set<string>()

  private constructor(stage: Stage, name: string, { token, ...route }: QuorumRoute & { token: string }) {
    super(name)
    this.#route = route
    this.#link = new StompLink(stage, {
      cluster: route.node,
      home: 0,
      token,
      onConnect: () => this.#onConnect(),
      onReceipt: ({ headers }) => this.#onReceipt(headers['receipt-id'] ?? ''),
      onClose: () => this.#onClose(),
    })
  }

  static async start(stage: Stage, name: string, route: QuorumRoute): Promise<QuorumSpeaker> {
    const speaker = new QuorumSpeaker(stage, name, { ...route, token: await faultToken(name, 'service') })
    await speaker.#link.open()
    return speaker
  }

  protected override publish(message: string): void {
    if (this.#link.client.connected) this.#send(message)
    else this.#unsent.add(message)
  }

  #send(message: string): void {
    this.#sent.add(message)
    const { destination } = this.#route
    const headers = { receipt: message, persistent: 'true', 'x-queue-type': 'quorum' }
    const body = this.#route.bodyOf?.(message) ?? message
    this.#link.client.publish({ destination, body, headers })
  }

  #onConnect(): void {
    for (const message of this.#unsent) this.#send(message)
    this.#unsent.clear()
  }

  #onReceipt(message: string): void {
    this.#sent.delete(message)
    this.told(message)
  }

  #onClose(): void {
    for (const message of this.#sent) {
      this.doubtful.add(message)
      this.told(message)
    }
    this.#sent.clear()
  }
}
