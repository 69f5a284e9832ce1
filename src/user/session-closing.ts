import type { Broker, ControlMessage } from '../broker/broker.ts'
import type { PresenceReader } from './presence-reader.ts'
import type { SessionRegistry } from './session-registry.ts'

const KIND = 'close-session'

export interface SessionClosingParts {
  readonly registry: Pick<SessionRegistry, 'find'>
  readonly presence: Pick<PresenceReader, 'findSession'>
  readonly broker: Pick<Broker, 'control' | 'onControl'>
}

/** Ends sessions for administrators, on whichever node they are. */
export class SessionClosing {
  readonly #parts: SessionClosingParts
  readonly #stop: () => void

  constructor(parts: SessionClosingParts) {
    this.#parts = parts
    this.#stop = parts.broker.onControl((message) => this.#hear(message))
  }

  /**
   * Resolves when the session is over, or its node is on its way to be told.
   * @returns false where there is none
   * @throws MessageError `store-unavailable`, and `broker-unavailable` where another node cannot be told
   */
  async close(id: string): Promise<boolean> {
    if (this.#expel(id)) return true
    const session = await this.#parts.presence.findSession(id)
    if (session === null) return false
    await this.#parts.broker.control({ kind: KIND, body: id }, session.nodeId)
    return true
  }

  /** Listens no more. */
  stop(): void {
    this.#stop()
  }

  #hear({ kind, body }: ControlMessage): void {
    if (kind === KIND) this.#expel(body)
  }

  #expel(id: string): boolean {
    const session = this.#parts.registry.find(id)
    session?.expel('an administrator ended it')
    return session !== undefined
  }
}
