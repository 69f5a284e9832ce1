import type { BrokerMessage } from '../../src/broker/broker.ts'
import { MessageError } from '../../src/errors.ts'
import type { Chance } from './chance.ts'
import type { Life } from './life.ts'
import type { Link } from './link.ts'
import type { Tally } from './tally.ts'
import type { Weather } from './weather.ts'

export interface BusParts {
  readonly chance: Chance
  readonly weather: Pick<Weather, 'broker' | 'compares'>
  readonly tally: Tally
}

/** An outbox gives an event up after 5 refusals. */
const FEW_REFUSALS = 3
/** How many of those refused are refused for ever. */
const POISONED = 0.2

/** The broker between the nodes: what is published at one comes to all over their links. */
export class Bus {
  isAway = false
  /** Nothing is refused any more. */
  isKind = false
  readonly #parts: BusParts
  readonly #links = new Set<Link>()
  readonly #refusals = new Map<string, number>()

  constructor(parts: BusParts) {
    this.#parts = parts
  }

  get isIdle(): boolean {
    return [...this.#links].every((link) => link.isIdle)
  }

  add(link: Link): void {
    this.#links.add(link)
  }

  remove(link: Link): void {
    this.#links.delete(link)
    link.close()
  }

  /** What `Broker.publish` promises to one life of a node. */
  async publish(message: BrokerMessage, life: Life): Promise<void> {
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
