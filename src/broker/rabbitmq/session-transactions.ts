import { MessageError } from '../../errors.ts'
import type { Undo } from './session-ledger.ts'

/** SENDs and acknowledgements of one transaction; RabbitMQ keeps them in memory until COMMIT. */
const MAX_FRAMES = 1_024

export interface SessionTransaction {
  /** What to take back at ABORT. */
  readonly undos: Undo[]
  /** Receipts that its SENDs asked for: RabbitMQ gives them after COMMIT, when each is confirmed. */
  readonly receipts: string[]
}

/** The open transactions of one client's session. Their number is bounded by the client's own session. */
export class SessionTransactions {
  readonly #open = new Map<string, SessionTransaction>()

  /** @throws MessageError `conflict`: RabbitMQ would empty it and say nothing */
  begin(name: string): void {
    if (this.#open.has(name)) throw new MessageError('conflict', 'the transaction has begun already')
    this.#open.set(name, { undos: [], receipts: [] })
  }

  /** For one frame more. @throws MessageError `unknown-transaction`, `too-many-pending` */
  get(name: string): SessionTransaction {
    const transaction = this.#open.get(name)
    if (transaction === undefined) throw new MessageError('unknown-transaction', 'no such transaction')
    if (transaction.undos.length + transaction.receipts.length >= MAX_FRAMES) {
      throw new MessageError('too-many-pending', `more than ${MAX_FRAMES} frames in a transaction`)
    }
    return transaction
  }

  /** Ends it. @throws MessageError `unknown-transaction` */
  take(name: string): SessionTransaction {
    const transaction = this.#open.get(name)
    if (transaction === undefined) throw new MessageError('unknown-transaction', 'no such transaction')
    this.#open.delete(name)
    return transaction
  }

  clear(): void {
    this.#open.clear()
  }
}
