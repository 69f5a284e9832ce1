import { MessageError } from '../../errors.ts'
import type { MemoryCounters, MemoryLimits } from './memory-limits.ts'
import type { QueuedMessage } from './memory-queue.ts'
import type { MemorySubscription } from './memory-subscription.ts'

/** How an acknowledgement ends: the message is done, goes back, or goes nowhere. */
export type Outcome = 'done' | 'requeue' | 'drop'

/** What one session has been sent and has not acknowledged, over all its subscriptions. */
export class UnackedLedger {
  readonly #limits: MemoryLimits
  readonly #counters: MemoryCounters
  readonly #owners = new Map<string, MemorySubscription>()
  readonly #onRoom: () => void
  #bytes = 0
  #isWithholding = false

  /** @param onRoom called when there is room again after `hasRoom` said no */
  constructor(limits: MemoryLimits, counters: MemoryCounters, onRoom: () => void) {
    this.#limits = limits
    this.#counters = counters
    this.#onRoom = onRoom
  }

  hasRoom(): boolean {
    const { unackedMessages, unackedBytes } = this.#limits
    if (this.#owners.size < unackedMessages && this.#bytes < unackedBytes) return true
    if (!this.#isWithholding) this.#counters.withheld += 1
    this.#isWithholding = true
    return false
  }

  add(ackId: string, owner: MemorySubscription, message: QueuedMessage): void {
    this.#owners.set(ackId, owner)
    this.#bytes += message.bytes
  }

  /** @throws MessageError `not-found`, or `unknown-subscription` where its subscription has ended */
  settle(ackId: string, outcome: Outcome): void {
    const owner = this.#owners.get(ackId)
    if (owner === undefined) throw new MessageError('not-found', 'no such unacknowledged message')
    if (!owner.isOpen) throw new MessageError('unknown-subscription', 'the subscription has ended')
    const settled = owner.settle(ackId)
    for (const [id, message] of settled) {
      this.#owners.delete(id)
      this.#bytes -= message.bytes
    }
    if (outcome === 'requeue') owner.giveBack(settled.values())
    if (outcome === 'drop') this.#counters.deadLettered += settled.size
    owner.wake()
    if (this.#isWithholding) {
      this.#isWithholding = false
      this.#onRoom()
    }
  }
}
