import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'

/** How often somebody takes how long a while. Whoever talks to another process needs longer ones. */
const PACES = {
  quick: { microtasks: 4, turns: 4, moment: 2, long: 0.7 },
  slow: { microtasks: 2, turns: 2, moment: 4, long: 4 },
} as const

export type Pace = keyof typeof PACES

/** Choices that a seed repeats. What they meet with depends on the machine too: it is real code that runs. */
export class Chance {
  readonly #pace: Pace
  #state: number

  constructor(seed: number, pace: Pace) {
    this.#state = seed >>> 0
    this.#pace = pace
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let bits = this.#state
    bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d)
    bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39)
    return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  is(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.between(0, list.length - 1)]
    if (item === undefined) throw new Error('nothing to choose from')
    return item
  }

  /** One of the names, by their weights. */
  weighted<N extends string>(weights: Readonly<Record<N, number>>): N {
    const names = Object.keys(weights) as N[]
    let rest = this.next() * names.reduce((sum, name) => sum + weights[name], 0)
    return names.find((name) => (rest -= weights[name]) < 0) ?? this.pick(names)
  }

  /** Another one, for an actor of its own, so that what others do in the meantime changes nothing. */
  fork(): Chance {
    return new Chance(this.between(0, 2 ** 32 - 1), this.#pace)
  }

  /**
   * A while that somebody takes, from a few microtasks to more than a gate waits for a hole. This is
   * the weather, not a wait for something to come true.
   */
  async while(): Promise<void> {
    const kind = this.weighted(PACES[this.#pace])
    if (kind === 'microtasks') await microtasks(this.between(0, 8))
    else if (kind === 'turns') await turns(this.between(1, 6))
    else await delay(kind === 'moment' ? this.between(1, 8) : this.between(20, 60))
  }
}

export async function microtasks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve()
}

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}
