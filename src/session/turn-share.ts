/** Who took a frame within this time has a part in the turns, milliseconds. */
const WINDOW_MS = 100

/** Frames of one session in one turn of the event loop where nobody else takes any, and where very many do. */
export const MAX_FRAMES_A_TURN = 64
export const MIN_FRAMES_A_TURN = 2

/**
 * How many frames a session of this node may take in a turn of the event loop: fewer, the more sessions take any.
 * What is taken together is relayed and written together, which costs less (`bench -- fan-out`); but a turn that is
 * long for one is long for all (`bench -- isolation`, flood-topic).
 */
export class TurnShare {
  #window = 1
  #endsMs = 0
  #takers = 0
  #takersBefore = 0
  readonly #now: () => number

  /** @param now the monotonic clock, milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Frames. */
  get share(): number {
    const takers = Math.max(1, this.#takers, this.#takersBefore)
    return Math.max(MIN_FRAMES_A_TURN, Math.floor(MAX_FRAMES_A_TURN / (2 * takers - 1)))
  }

  /** Counts who takes a frame. @param last what it was answered the last time, 0 at first */
  enter(last: number): number {
    const nowMs = this.#now()
    if (nowMs >= this.#endsMs) {
      this.#takersBefore = nowMs < this.#endsMs + WINDOW_MS ? this.#takers : 0
      this.#takers = 0
      this.#window += 1
      this.#endsMs = nowMs + WINDOW_MS
    }
    if (last !== this.#window) this.#takers += 1
    return this.#window
  }
}
