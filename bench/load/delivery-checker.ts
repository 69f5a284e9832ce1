/** What went wrong with the messages of a run, over all subscribers. */
export interface Faults {
  lost: number
  doubled: number
  reordered: number
  /** Messages whose body is not one of the run's. */
  foreign: number
}

export const NO_FAULTS: Readonly<Faults> = { lost: 0, doubled: 0, reordered: 0, foreign: 0 }

/** Beyond this many open gaps of one subscriber and publisher, late messages count as doubled. */
const MAX_GAPS = 100_000

/**
 * Checks that every subscriber gets every message of every publisher once and in the order of its
 * sequence numbers, which begin at 1.
 */
export class DeliveryChecker {
  readonly #subscribers: number
  readonly #publishers: number
  readonly #isFor: (subscriber: number, publisher: number) => boolean
  readonly #last: Uint32Array
  readonly #missing = new Map<number, Set<number>>()
  readonly #faults: Faults = { ...NO_FAULTS }
  #lostBeyondBound = 0

  /** @param isFor whether what a publisher sends is for a subscriber: by default all is for all */
  constructor(
    subscribers: number,
    publishers: number,
    isFor: (subscriber: number, publisher: number) => boolean = () => true,
  ) {
    this.#subscribers = subscribers
    this.#publishers = publishers
    this.#isFor = isFor
    this.#last = new Uint32Array(subscribers * publishers)
  }

  /** Returns whether the message was the one that had to come next. */
  take(subscriber: number, publisher: number, sequence: number): boolean {
    const isOurs = publisher >= 0 && publisher < this.#publishers && sequence >= 1
    if (!isOurs || !this.#isFor(subscriber, publisher)) {
      this.#faults.foreign++
      return false
    }
    const cell = subscriber * this.#publishers + publisher
    const last = this.#last[cell]!
    if (sequence === last + 1) {
      this.#last[cell] = sequence
      return true
    }
    if (sequence > last) this.#openGap(cell, last, sequence)
    else if (this.#missing.get(cell)?.delete(sequence) === true) this.#faults.reordered++
    else this.#faults.doubled++
    return false
  }

  /**
   * The verdict, once nothing more can come.
   * @param published how many messages each publisher has sent
   */
  finish(published: readonly number[]): Faults {
    const faults = this.soFar()
    for (let cell = 0; cell < this.#subscribers * this.#publishers; cell++) {
      const publisher = cell % this.#publishers
      if (!this.#isFor((cell - publisher) / this.#publishers, publisher)) continue
      faults.lost += Math.max(0, (published[publisher] ?? 0) - this.#last[cell]!)
    }
    return faults
  }

  /** Up to now: messages that may still come are none, gaps before what came are lost. */
  soFar(): Faults {
    let lost = this.#lostBeyondBound
    for (const gaps of this.#missing.values()) lost += gaps.size
    return { ...this.#faults, lost }
  }

  #openGap(cell: number, last: number, sequence: number): void {
    let gaps = this.#missing.get(cell)
    if (gaps === undefined) this.#missing.set(cell, (gaps = new Set()))
    for (let absent = last + 1; absent < sequence; absent++) {
      if (gaps.size < MAX_GAPS) gaps.add(absent)
      else this.#lostBeyondBound++
    }
    this.#last[cell] = sequence
  }
}

export function addFaults(a: Readonly<Faults>, b: Readonly<Faults>): Faults {
  return {
    lost: a.lost + b.lost,
    doubled: a.doubled + b.doubled,
    reordered: a.reordered + b.reordered,
    foreign: a.foreign + b.foreign,
  }
}

/** What was added since `before`. Nothing is below 0: a gap may have been filled. */
export function faultsSince(before: Readonly<Faults>, now: Readonly<Faults>): Faults {
  return {
    lost: Math.max(0, now.lost - before.lost),
    doubled: now.doubled - before.doubled,
    reordered: now.reordered - before.reordered,
    foreign: now.foreign - before.foreign,
  }
}

export function isFaultless(faults: Readonly<Faults>): boolean {
  return faults.lost + faults.doubled + faults.reordered + faults.foreign === 0
}
