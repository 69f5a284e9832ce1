import { parseEventId } from '../../protocol/event-id.ts'
import type { BrokerMessage } from '../../src/broker/broker.ts'
import type { CutLink } from './between.ts'
import { microtasks, type Chance } from './chance.ts'
import type { Tally } from './tally.ts'
import type { Fate, Weather } from './weather.ts'

export interface LinkParts {
  readonly chance: Chance
  readonly weather: Weather['links']
  readonly tally: Tally
  /** Hands a message to the node. */
  readonly deliver: (message: BrokerMessage) => void
  /** Tells the node that it may have missed some. */
  readonly tellHole: (reason: string) => void
  /** Told when nothing is under way any more. */
  readonly onIdle: () => void
}

/** How long a message is held at most when no reader makes room. */
const MAX_HOLD_MS = 25

/** The way of messages from the broker to one node, and what may happen to them there. */
export class Link implements CutLink {
  readonly #parts: LinkParts
  #isOpen = true
  /** What waits for the link to be mended, where it is cut. */
  #kept: BrokerMessage[] | undefined
  /** What waits until a reader makes room. */
  #held = new Set<BrokerMessage>()
  #underWay = 0
  /** The greatest offset delivered, and what was lost without a word, by the epoch of the stream. */
  readonly #delivered = new Map<string, number>()
  readonly #lost = new Map<string, Set<number>>()

  constructor(parts: LinkParts) {
    this.#parts = parts
  }

  get isIdle(): boolean {
    return this.#underWay === 0 && this.#kept === undefined
  }

  get isCut(): boolean {
    return this.#kept !== undefined
  }

  carry(message: BrokerMessage): void {
    if (!this.#isOpen) return
    if (this.#kept === undefined) this.#meet(this.#parts.chance.weighted(this.#parts.weather), message)
    else this.#kept.push(message)
  }

  cut(): void {
    this.#kept ??= []
  }

  /** Lets messages through again. What came in between is lost, and told, or arrives in order, the last ones twice. */
  mend(isLost: boolean): void {
    const { tally, tellHole } = this.#parts
    const kept = this.#kept
    if (kept === undefined) return
    this.#kept = undefined
    tally.hit(isLost ? 'link cut, messages lost' : 'link cut, messages kept')
    if (isLost) tellHole('the link was cut')
    else for (const message of [...kept, ...kept.slice(-2)]) this.#deliver(message)
    this.#parts.onIdle()
  }

  /** A reader that is being replayed goes on: what was held comes just around the moment. */
  makeRoom(): void {
    const held = [...this.#held]
    this.#held = new Set()
    for (const message of held) {
      void this.#later(
        () => microtasks(this.#parts.chance.between(0, 12)),
        () => this.#deliver(message),
      )
    }
  }

  /** Whether an event was lost here, and nothing later of its stream came that could tell. */
  hasLostTail(epoch: string, offset: number): boolean {
    return this.#lost.get(epoch)?.has(offset) === true && (this.#delivered.get(epoch) ?? 0) < offset
  }

  close(): void {
    this.#isOpen = false
    this.#kept = undefined
  }

  #meet(fate: Fate, message: BrokerMessage): void {
    const { chance, tally, tellHole } = this.#parts
    const wait = (): Promise<void> => chance.while()
    const deliver = (): void => this.#deliver(message)
    switch (fate) {
      case 'now':
        deliver()
        break
      case 'delay':
        tally.hit('message delayed')
        void this.#later(wait, deliver)
        break
      case 'double':
        tally.hit('message doubled')
        deliver()
        void this.#later(wait, deliver)
        break
      case 'hold':
        void this.#hold(message)
        break
      case 'lose':
        tally.hit('message dropped, hole told')
        void this.#later(wait, () => tellHole('a message was lost'))
        break
      case 'loseSilently':
        tally.hit('message dropped silently')
        this.#note(this.#lost, message, (lost, offset) => (lost ?? new Set<number>()).add(offset))
    }
  }

  async #hold(message: BrokerMessage): Promise<void> {
    this.#held.add(message)
    await this.#later(
      () => new Promise((resolve) => setTimeout(resolve, MAX_HOLD_MS)),
      () => {
        if (this.#held.delete(message)) this.#deliver(message)
        else this.#parts.tally.hit('message held until a reader makes room')
      },
    )
  }

  async #later(wait: () => Promise<void>, act: () => void): Promise<void> {
    this.#underWay += 1
    await wait()
    if (this.#isOpen) act()
    this.#underWay -= 1
    if (this.#underWay === 0) this.#parts.onIdle()
  }

  #deliver(message: BrokerMessage): void {
    if (!this.#isOpen) return
    this.#note(this.#delivered, message, (greatest = 0, offset) => {
      if (offset < greatest) this.#parts.tally.hit('message reordered')
      return Math.max(greatest, offset)
    })
    this.#parts.deliver(message)
  }

  #note<T>(
    map: Map<string, T>,
    message: BrokerMessage,
    change: (value: T | undefined, offset: number) => T,
  ): void {
    const { epoch, offset } = parseEventId(message.eventId ?? '') ?? { epoch: '', offset: 0 }
    map.set(epoch, change(map.get(epoch), offset))
  }
}
