import type {
  Broker,
  BrokerMessage,
  BrokerReceiver,
  BrokerSession,
  BrokerStatus,
  Consumer,
  QueueDepth,
  Watch,
  WatchTarget,
} from '../../src/broker/broker.ts'
import { MessageError } from '../../src/errors.ts'
import type { Chance } from './chance.ts'
import type { Life } from './life.ts'
import type { Tally } from './tally.ts'

export interface MortalBrokerParts {
  /** The adapter whose inbox the node reads. */
  readonly inner: Broker
  readonly life: Life
  readonly chance: Chance
  readonly tally: Tally
  readonly watchRefused: number
  /** How a message comes to the nodes. */
  readonly publish: (message: BrokerMessage) => Promise<void>
}

/** The broker as one life of a node sees it. Only topics and users: client sessions are no part of this. */
export class MortalBroker implements Broker {
  receiver: BrokerReceiver | undefined
  readonly #parts: MortalBrokerParts

  constructor(parts: MortalBrokerParts) {
    this.#parts = parts
  }

  async start(receiver: BrokerReceiver): Promise<void> {
    this.receiver = receiver
    await this.#parts.inner.start(receiver)
  }

  queueDepth(queue: string): Promise<QueueDepth | null> {
    return this.#parts.inner.queueDepth(queue)
  }

  publish(message: BrokerMessage): Promise<void> {
    const { life, publish } = this.#parts
    return life.hear(() => publish(message))
  }

  /** What is published while it is being asked for may come, or not. */
  watch(target: WatchTarget): Promise<Watch> {
    const { inner, life, chance, tally, watchRefused } = this.#parts
    return life.hear(async () => {
      await chance.while()
      if (chance.is(watchRefused)) {
        tally.hit('watch refused')
        throw new MessageError('broker-unavailable', 'not bound in time')
      }
      const watch = await inner.watch(target)
      if (chance.is(0.5)) await chance.while()
      return watch
    })
  }

  openSession(): Promise<BrokerSession> {
    throw new Error('no client has a session of its own here')
  }

  consume(): Promise<Consumer> {
    throw new Error('nothing is consumed here')
  }

  control(): Promise<void> {
    throw new Error('nodes do not talk to each other here')
  }

  onControl(): () => void {
    return () => undefined
  }

  status(): BrokerStatus {
    return this.#parts.inner.status()
  }

  onStatus(listener: (status: BrokerStatus) => void): () => void {
    return this.#parts.inner.onStatus(listener)
  }

  close(): Promise<void> {
    return this.#parts.inner.close()
  }
}
