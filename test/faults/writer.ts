import { testToken } from '../support/token.ts'
import type { Cluster } from './cluster.ts'
import type { MessagePlan, PlannedMessage } from './message-plan.ts'
import { StompLink } from './stomp-link.ts'

export interface WriterOptions {
  readonly name: string
  readonly home: number
  readonly cluster: Cluster
  readonly plan: MessagePlan
}

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

/** SENDs without a RECEIPT yet, at once. */
const WINDOW = 20

/**
 * Sends with receipts. What had none when the connection broke it sends again, with the same `clientId`,
 * wherever it finds a node: it cannot know whether it was stored.
 */
export class Writer {
  readonly link: StompLink
  readonly home: number
  /** SEND frames, and those among them that say something again. */
  sent = 0
  sentAgain = 0
  readonly #options: WriterOptions
  readonly #unfinished = new Map<string, PlannedMessage>()

  private constructor(t: Teardown, options: WriterOptions, token: string) {
    this.#options = options
    this.home = options.home
    this.link = new StompLink(t, {
      ...options,
      token,
      onConnect: () => this.#sendAgain(),
      onReceipt: ({ headers }) => this.#finish(headers['receipt-id'] ?? ''),
      onClose: () => undefined,
    })
    options.plan.onAllowed(() => this.#fill())
  }

  static async start(t: Teardown, options: WriterOptions): Promise<Writer> {
    const writer = new Writer(t, options, await testToken(options.name, 'user'))
    await writer.link.open()
    return writer
  }

  #sendAgain(): void {
    for (const message of this.#unfinished.values()) {
      this.sentAgain += 1
      this.#send(message)
    }
    this.#fill()
  }

  #fill(): void {
    while (this.link.client.connected && this.#unfinished.size < WINDOW) {
      const message = this.#options.plan.take(this.#options.name)
      if (message === undefined) return
      this.#unfinished.set(message.clientId, message)
      this.#send(message)
    }
  }

  #send({ clientId, destination, body }: PlannedMessage): void {
    this.sent += 1
    this.link.client.publish({ destination, body, headers: { receipt: clientId } })
  }

  #finish(receipt: string): void {
    const message = this.#unfinished.get(receipt)
    if (message === undefined) return
    this.#unfinished.delete(receipt)
    this.#options.plan.onReceipt(message)
    this.#fill()
  }
}
