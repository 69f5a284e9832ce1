import { MessageError } from '../../errors.ts'
import type { MemoryCounters, MemoryLimits } from './memory-limits.ts'

interface Transaction {
  readonly actions: (() => void)[]
  bytes: number
}

/** The open transactions of one session: what they hold takes effect at COMMIT, in its order. */
export class Transactions {
  readonly #limits: MemoryLimits
  readonly #counters: MemoryCounters
  readonly #open = new Map<string, Transaction>()

  constructor(limits: MemoryLimits, counters: MemoryCounters) {
    this.#limits = limits
    this.#counters = counters
  }

  begin(id: string): void {
    if (this.#open.has(id)) throw new MessageError('conflict', 'the transaction has begun already')
    if (this.#open.size >= this.#limits.transactions) throw this.#tooMany('too many open transactions')
    this.#open.set(id, { actions: [], bytes: 0 })
  }

  /** @throws MessageError `too-many-pending`; what the transaction holds already stays in it */
  add(id: string, bytes: number, action: () => void): void {
    const transaction = this.#get(id)
    const { transactionActions, transactionBytes } = this.#limits
    if (transaction.actions.length >= transactionActions || transaction.bytes + bytes > transactionBytes) {
      throw this.#tooMany('the transaction is too large')
    }
    transaction.actions.push(action)
    transaction.bytes += bytes
  }

  /**
   * Not atomic, as on RabbitMQ: what can take effect does.
   * @throws MessageError the first fault, once all actions were tried
   */
  commit(id: string): void {
    const { actions } = this.#get(id)
    this.#open.delete(id)
    const faults: unknown[] = []
    for (const action of actions) {
      try {
        action()
      } catch (error) {
        faults.push(error)
      }
    }
    if (faults.length > 0) throw faults[0]
  }

  abort(id: string): void {
    this.#get(id)
    this.#open.delete(id)
  }

  #get(id: string): Transaction {
    const transaction = this.#open.get(id)
    if (transaction === undefined) throw new MessageError('unknown-transaction', 'no such transaction')
    return transaction
  }

  #tooMany(message: string): MessageError {
    this.#counters.transactionsRefused += 1
    return new MessageError('too-many-pending', message)
  }
}
