import { randomBytes } from 'node:crypto'
import { MessageError } from '../../errors.ts'
import type { MemoryCounters, MemoryLimits } from './memory-limits.ts'
import { MemoryQueue, type QueueOptions } from './memory-queue.ts'
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
    return this.#queues.get(name) ?? this.#make({ name, isPrivate: false, overflow: 'refuse' })
  }

  /** A queue that belongs to one session, which deletes it. Bears a name nobody can declare or guess. */
  declarePrivate(overflow: 'refuse' | 'drop-oldest'): MemoryQueue {
    const name = `amq.gen-${randomBytes(16).toString('base64url')}`
    return this.#make({ name, isPrivate: true, overflow })
  }

  delete(queue: MemoryQueue): void {
    this.#queues.delete(queue.name)
  }

  #make(own: Pick<QueueOptions, 'name' | 'isPrivate' | 'overflow'>): MemoryQueue {
    const { limits, counters } = this.#options
    if (this.#queues.size >= limits.queues) {
      counters.queuesRefused += 1
      throw new MessageError('broker-refused', 'too many queues')
    }
    const queue = new MemoryQueue({ ...this.#options, ...own })
    this.#queues.set(own.name, queue)
    return queue
  }
}
