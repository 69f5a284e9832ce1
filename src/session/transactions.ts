import { violation } from '../../protocol/errors.ts'
import type { ClientFrame } from '../../protocol/frame.ts'
import { MessageError } from '../errors.ts'
import { sizeOf } from './frame-size.ts'
import type { Settled } from './settled.ts'

/** Transactions open at once in one session. */
export const MAX_TRANSACTIONS = 16
/** Body and header bytes of SENDs that wait for COMMIT here, all transactions of a session together. */
export const MAX_DEFERRED_BYTES = 1_048_576

/** A SEND of a transaction, with what is left to do for it once the broker has committed. */
export interface DeferredSend {
  readonly frame: ClientFrame
  readonly finish: () => Promise<Settled>
}

/** The open transactions of one session, with the SENDs that run, or get their RECEIPT, at COMMIT. */
export class Transactions {
  readonly #open = new Map<string, DeferredSend[]>()
  #bytes = 0

  /** @throws ProtocolViolation where it is open already, MessageError where there are too many */
  begin(transaction: string): void {
    if (this.#open.has(transaction)) throw violation('unknown-transaction', `${transaction} is open already`)
    if (this.#open.size >= MAX_TRANSACTIONS) {
      throw new MessageError('too-many-pending', `more than ${MAX_TRANSACTIONS} open transactions`)
    }
    this.#open.set(transaction, [])
  }

  /** @throws ProtocolViolation where it is not open */
  check(transaction: string): void {
    this.#deferredOf(transaction)
  }

  /** @throws as `check`, and MessageError where too much waits already */
  defer(transaction: string, send: DeferredSend): void {
    const sends = this.#deferredOf(transaction)
    const bytes = sizeOf(send.frame)
    if (this.#bytes + bytes > MAX_DEFERRED_BYTES) {
      throw new MessageError('too-many-pending', `more than ${MAX_DEFERRED_BYTES} bytes wait for COMMIT`)
    }
    this.#bytes += bytes
    sends.push(send)
  }

  /** Ends a transaction. @returns the SENDs that waited for it. @throws as `check` */
  take(transaction: string): readonly DeferredSend[] {
    const sends = this.#deferredOf(transaction)
    this.#open.delete(transaction)
    this.#bytes -= sends.reduce((sum, send) => sum + sizeOf(send.frame), 0)
    return sends
  }

  #deferredOf(transaction: string): DeferredSend[] {
    const sends = this.#open.get(transaction)
    if (sends === undefined) throw violation('unknown-transaction', transaction)
    return sends
  }
}
