import { MessageError } from '../../errors.ts'
import type { BrokerMessage, ControlMessage, Delivery } from '../broker.ts'
import { PRIVATE_EXCHANGE, type Route } from './exchanges.ts'

/** Where no client and no outsider comes: reserved, and believed only with the mark of a node. */
const ALL_NODES = 'stomp-relay.control'
const MAX_BODY_CHARS = 16_384

export interface ControlOptions {
  readonly nodeId: string
  publish(message: BrokerMessage): Promise<void>
}

/** Messages between nodes: private topics, one of all nodes and one of each, that every inbox is bound to. */
export class Control {
  readonly #options: ControlOptions
  readonly #listeners = new Set<(message: ControlMessage) => void>()

  constructor(options: ControlOptions) {
    this.#options = options
  }

  /** What the inbox is to be bound to. */
  get routes(): readonly Route[] {
    return [ALL_NODES, topicOf(this.#options.nodeId)].map((key) => ({ exchange: PRIVATE_EXCHANGE, key }))
  }

  async send({ kind, body }: ControlMessage, nodeId?: string): Promise<void> {
    if (body.length > MAX_BODY_CHARS) {
      throw new MessageError('invalid-payload', 'a message between nodes is too long')
    }
    await this.#options.publish({
      address: { kind: 'private', topic: nodeId === undefined ? ALL_NODES : topicOf(nodeId) },
      headers: [],
      body: Buffer.from(JSON.stringify({ kind, body })),
      persistent: false,
    })
  }

  listen(listener: (message: ControlMessage) => void): () => void {
    const own = (message: ControlMessage): void => listener(message)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  /** Takes a delivery that is one of these. @returns whether it was */
  take({ address, body }: Delivery): boolean {
    if (address.kind !== 'private' || !isControlTopic(address.topic)) return false
    const message = read(body)
    if (message !== undefined) for (const listener of this.#listeners) listener(message)
    return true
  }

  close(): void {
    this.#listeners.clear()
  }
}

/** A name may hold any character, but no dot separates it: nothing here is a pattern. */
function topicOf(nodeId: string): string {
  return `${ALL_NODES}.${nodeId}`
}

function isControlTopic(topic: string): boolean {
  return topic === ALL_NODES || topic.startsWith(`${ALL_NODES}.`)
}

/** Of another version of the relay it may be anything. */
function read(body: Uint8Array): ControlMessage | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString())
    if (typeof value !== 'object' || value === null || !('kind' in value) || !('body' in value))
      return undefined
    const { kind, body: text } = value
    return typeof kind === 'string' && typeof text === 'string' ? { kind, body: text } : undefined
  } catch {
    return undefined
  }
}
