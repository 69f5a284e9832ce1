import type { Role } from '../../src/auth/principal.ts'
import type { FaultNode } from './fault-node.ts'
import { faultToken } from './fault-token.ts'
import type { Stage } from './fault.ts'
import { Speaker } from './speaker.ts'
import { StompLink } from './stomp-link.ts'

export interface ClientSpeakerParts {
  readonly name: string
  readonly node: FaultNode
  readonly role: Role
  readonly destination: string
  /** What it sends as this message. Default the message itself. */
  readonly bodyOf?: (message: string) => string
}

/** A client of the relay that stays connected whatever happens behind the relay. */
export class ClientSpeaker extends Speaker {
  readonly #link: StompLink
  readonly #parts: ClientSpeakerParts

  private constructor(stage: Stage, parts: ClientSpeakerParts, token: string) {
    super(parts.name)
    this.#parts = parts
    this.#link = new StompLink(stage, {
      cluster: parts.node,
      home: 0,
      token,
      onConnect: () => undefined,
      onReceipt: ({ headers }) => this.told(headers['receipt-id'] ?? ''),
      onClose: () => this.failed(`the connection is over: ${this.#link.errors.join('; ')}`),
    })
  }

  static async start(stage: Stage, parts: ClientSpeakerParts): Promise<ClientSpeaker> {
    const speaker = new ClientSpeaker(stage, parts, await faultToken(parts.name, parts.role))
    await speaker.#link.open()
    return speaker
  }

  protected override publish(message: string): void {
    const { destination, bodyOf } = this.#parts
    const body = bodyOf?.(message) ?? message
    this.#link.client.publish({ destination, body, headers: { receipt: message } })
  }
}
