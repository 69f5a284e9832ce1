import { MessageError } from '../../errors.ts'
import type { MemoryCounters, MemoryLimits } from './memory-limits.ts'
import { MemoryQueue } from './memory-queue.ts'
import type { Turn } from './turn.ts'

/** Everything that queues need of their broker. */
export interface QueueTableOptions {
  readonly limits: MemoryLimits
  readonly counters: MemoryCounters
  readonly turn: Turn
}

/** All queues of the broker, by name. */
export class QueueTable {
  readonly #options: QueueTableOptions
  readonly #queues = new Map<string, MemoryQueue>()
  #made = 0

  constructor(options: QueueTableOptions) {
    this.#options = options
  }

  get(name: string): MemoryQueue | undefined {
    return this.#queues.get(name)
  }

  /**
   * The queue of this name, made on first use. It stays until the process ends.
   * @throws MessageError `broker-refused` where there are too many queues
   */
  declare(name: string): MemoryQueue {
    return this.#queues.get(name) ?? this.#make(name, 'refuse')
  }

  /** A queue that belongs to one session, which deletes it. Bears a name nobody can declare. */
  declarePrivate(overflow: 'refuse' | 'drop-oldest'): MemoryQueue {
    this.#made += 1
    return this.#make(`amq.gen-${this.#made}`, overflow)
  }

  delete(queue: MemoryQueue): void {
    this.#queues.delete(queue.name)
  }

  #make(name: string, overflow: 'refuse' | 'drop-oldest'): MemoryQueue {
    const { limits, counters } = this.#options
    if (this.#queues.size >= limits.queues) {
      counters.queuesRefused += 1
      throw new MessageError('broker-refused', 'too many queues')
    }
    const queue = new MemoryQueue({ ...this.#options, name, overflow })
    this.#queues.set(name, queue)
    return queue
  }
}
