import { deferred } from '../../src/lib/deferred.ts'
import type { Tally } from './tally.ts'

/** Where a node may be killed, beside any moment. */
export type KillPoint =
  | 'before commit'
  | 'after commit'
  | 'before publish'
  | 'before confirm'
  | 'before removal'
  | 'after removal'
  | 'after claim'

/**
 * One life of a node. Once it is over, nothing that it asked for is answered and nothing that it asks
 * for is done, as with a process that was killed; what was under way at the database is finished there.
 */
export class Life {
  armed: KillPoint | undefined
  readonly #tally: Tally
  readonly #death = deferred()
  readonly #onEnd: () => void
  readonly #settled: (() => void)[] = []
  #underWay = 0
  #isOver = false

  /** @param onEnd called at once when the node is killed */
  constructor(tally: Tally, onEnd: () => void) {
    this.#tally = tally
    this.#onEnd = onEnd
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Resolves when the node is killed. */
  get death(): Promise<void> {
    return this.#death.promise
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#onEnd()
    this.#death.resolve()
  }

  /** Ends here, if it was to. @returns whether it is over */
  reach(point: KillPoint): boolean {
    if (this.armed === point && !this.#isOver) {
      this.#tally.hit(`killed ${point}`)
      this.end()
    }
    return this.#isOver
  }

  /** What the world answers, if the node is there to hear it. */
  async hear<R>(ask: () => Promise<R>): Promise<R> {
    if (this.#isOver) return never()
    this.#underWay += 1
    const answer = await ask().then(
      (value) => () => value,
      (error: Error) => () => {
        throw error
      },
    )
    this.#settle()
    return this.#isOver ? never() : answer()
  }

  /** Resolves when nothing is under way at the database that the node asked for. */
  async settled(): Promise<void> {
    if (this.#underWay === 0) return
    await new Promise<void>((resolve) => this.#settled.push(resolve))
  }

  #settle(): void {
    this.#underWay -= 1
    if (this.#underWay === 0) for (const tell of this.#settled.splice(0)) tell()
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined)
}
