import { deferred, type Deferred } from '../lib/deferred.ts'

/** Questions under way at once; the rest wait, so that what else asks the store finds room there. */
export const MAX_INQUIRIES = 50

type Question = () => Promise<boolean>

interface Waiting {
  readonly question: Question
  readonly answer: Deferred<boolean>
}

/**
 * Asks what many want to know at the same moment: a few questions at a time, in the order they came, and
 * once for all who want the same. But nobody gets the answer to a question that was under way before he
 * asked: it may be older than the change he asks about. As many wait as there are keys.
 */
export class Inquiries {
  readonly #waiting = new Map<string, Waiting>()
  #underWay = 0

  /** @param key of what is asked: equal keys, equal answers. Rejects as the question does */
  ask(key: string, question: Question): Promise<boolean> {
    const waiting = this.#waiting.get(key) ?? { question, answer: deferred<boolean>() }
    this.#waiting.set(key, waiting)
    // All who ask in this turn share it.
    queueMicrotask(() => this.#begin())
    return waiting.answer.promise
  }

  #begin(): void {
    for (const [key, waiting] of this.#waiting) {
      if (this.#underWay >= MAX_INQUIRIES) return
      this.#waiting.delete(key)
      this.#underWay += 1
      void this.#settle(waiting)
    }
  }

  async #settle({ question, answer }: Waiting): Promise<void> {
    await question().then(answer.resolve, answer.reject)
    this.#underWay -= 1
    this.#begin()
  }
}
