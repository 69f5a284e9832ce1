import type { BrokerMessage } from '../../src/broker/broker.ts'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { MessageError } from '../../src/errors.ts'
import { Link } from './link.ts'
import type { Life } from './life.ts'
import type { Between, BetweenParts, Way, WayEnds } from './between.ts'

/** An outbox gives an event up after 5 refusals. */
const FEW_REFUSALS = 3
/** How many of those refused are refused for ever. */
const POISONED = 0.2

/** Does to messages whatever a broker and its links may do: each node's in-process broker gets them from here. */
export class Bus implements Between {
  isAway = false
  /** Nothing is refused any more. */
  isKind = false
  readonly #parts: BetweenParts
  readonly #links = new Set<Link>()
  readonly #refusals = new Map<string, number>()

  constructor(parts: BetweenParts) {
    this.#parts = parts
  }

  get isIdle(): boolean {
    return [...this.#links].every((link) => link.isIdle)
  }

  drained(): Promise<void> {
    return Promise.resolve() // when it is idle
  }

  join({ tellHole, onIdle }: WayEnds): Promise<Way> {
    const { chance, weather, tally } = this.#parts
    const inner = createMemoryBroker()
    const link = new Link({
      chance: chance.fork(),
      weather: weather.links,
      tally,
      deliver: (message) => void inner.publish(message).catch(() => undefined),
      tellHole,
      onIdle,
    })
    this.#links.add(link)
    return Promise.resolve({
      inner,
      link,
      publish: (message, life) => this.#publish(message, life),
      end: () => {
        this.#links.delete(link)
        link.close()
      },
    })
  }

  /** What `Broker.publish` promises to one life of a node. */
  async #publish(message: BrokerMessage, life: Life): Promise<void> {
    const { chance, weather, tally } = this.#parts
    if (life.reach('before publish')) return
    if (this.isAway) throw away('the broker is away')
    const answer = chance.weighted(weather.broker)
    if (this.#refuses(message, answer === 'refused')) throw refusal()
    for (const link of this.#links) link.carry(message)
    if (life.reach('before confirm')) return
    if (answer === 'at once') return
    tally.hit(answer === 'lost' ? 'confirm lost' : 'confirm late')
    await chance.while()
    if (answer === 'lost') throw away('no confirmation came')
  }

  #refuses({ eventId = '' }: BrokerMessage, wouldRefuse: boolean): boolean {
    const { chance, weather, tally } = this.#parts
    const before = this.#refusals.get(eventId) ?? 0
    // What is given up comes by comparison only.
    const isPoisoned = before === Infinity || (weather.compares && wouldRefuse && chance.is(POISONED))
    if (this.isKind || !(isPoisoned || (wouldRefuse && before < FEW_REFUSALS))) return false
    this.#refusals.set(eventId, isPoisoned ? Infinity : before + 1)
    tally.hit('publish refused')
    return true
  }
}

function away(why: string): MessageError {
  return new MessageError('broker-unavailable', why)
}

function refusal(): MessageError {
  return new MessageError('broker-refused', 'the queue is full')
}
