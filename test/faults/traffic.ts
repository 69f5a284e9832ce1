import { deferred } from '../../src/lib/deferred.ts'
import type { Ear } from './ear.ts'
import { reception, type Reception } from './fault-report.ts'
import type { Speaker } from './speaker.ts'

/** For what is published to arrive everywhere, once nothing keeps it. */
const PATIENCE_MS = 60_000

/** Messages on their way. */
export interface Saying {
  readonly messages: readonly string[]
  /** Half of them are receipted: the others are in the middle of it. */
  readonly half: Promise<void>
  readonly all: Promise<void>
}

/** Those who publish, and those who should hear it. */
export class Traffic {
  readonly #speakers: readonly Speaker[]
  readonly #ears: readonly Ear[]

  constructor(speakers: readonly Speaker[], ears: readonly Ear[]) {
    this.#speakers = speakers
    this.#ears = ears
  }

  /** These and others, who publish and hear at the same time. */
  with(speakers: readonly Speaker[], ears: readonly Ear[]): Traffic {
    return new Traffic([...this.#speakers, ...speakers], [...this.#ears, ...ears])
  }

  get published(): number {
    return this.said.length
  }

  /** All messages up to now, each speaker's in order. */
  get said(): readonly string[] {
    return saidBy(this.#speakers)
  }

  /** Each publishes its share of so many messages, two at least. */
  say(count: number): Saying {
    const share = Math.max(2, Math.ceil(count / this.#speakers.length))
    const half = deferred()
    let left = Math.floor((share * this.#speakers.length) / 2)
    for (const speaker of this.#speakers) {
      speaker.onTold = () => {
        left -= 1
        if (left === 0) half.resolve()
      }
    }
    const all = Promise.all(this.#speakers.map((speaker) => speaker.say(share))).then(() => undefined)
    const messages = this.#speakers.flatMap(({ said }) => said.slice(-share))
    return { messages, half: Promise.race([half.promise, all]), all }
  }

  /** Resolves when all that was said has arrived, or after a minute. `isOwed` as of `receptions`. */
  async arrived(isOwed: (message: string) => boolean = always): Promise<void> {
    await Promise.all(
      this.#ears.map(({ hearing, speakers }) => hearing.all(saidBy(speakers).filter(isOwed), PATIENCE_MS)),
    )
  }

  /** What each has heard. `isOwed` says of a message whether it had to arrive. */
  async receptions(isOwed: (message: string) => boolean = always): Promise<readonly Reception[]> {
    // What was doubled on the way comes before what is said now, by the same way.
    await this.say(0).all
    await this.arrived(isOwed)
    return this.#ears.map(({ hearing, speakers, originOf }) =>
      reception(hearing.subscriber, saidBy(speakers).filter(isOwed), hearing.got, originOf),
    )
  }
}

function always(): boolean {
  return true
}

function saidBy(speakers: readonly Speaker[]): readonly string[] {
  return speakers.flatMap(({ said }) => said)
}
