/** What is done to the nodes, their links, their database and their readers. */
export const FAULTS = [
  'message delayed',
  'message reordered',
  'message doubled',
  'message dropped, hole told',
  'message dropped silently',
  'message held until a reader makes room',
  'link cut, messages kept',
  'link cut, messages lost',
  'broker away',
  'publish refused',
  'event given up after refusals',
  'confirm late',
  'confirm lost',
  'watch refused',
  'write rejected',
  'commit failed',
  'commit answer lost',
  'read failed',
  'lease ran out under a living node',
  'killed before commit',
  'killed after commit',
  'killed before publish',
  'killed before confirm',
  'killed before removal',
  'killed after removal',
  'killed after claim',
  'killed at any moment',
  'node stopped',
  'node started under its old name',
  'node started under another name',
  'events trimmed',
  'reader cut off',
  'reader cut off in its replay',
  'reader left',
] as const

/** Where what is stored and what is live meet. */
export const SEAMS = [
  'began fresh on an empty stream',
  'began fresh among writes',
  'resumed',
  'resumed on another node',
  'resumed from its receipt',
  'resumed while writes ran',
  'resumed ahead of the gate',
  'resumed with nothing missed',
  'replay of several pages',
  'replay waited for a slow reader',
  'history',
  'not recovered: history-trimmed',
  'not recovered: unknown-epoch',
  'not recovered: malformed',
  'not recovered: not-a-stream',
  'duplicate dropped',
  'gap noticed',
  'hole filled',
  'lost last event found by comparison',
  'outbox rows taken over',
  'request repeated',
] as const

export type Count = (typeof FAULTS)[number] | (typeof SEAMS)[number]

const ALL: readonly Count[] = [...FAULTS, ...SEAMS]

/** How often each fault and each seam was hit. */
export class Tally {
  readonly #counts = new Map<string, number>()

  hit(what: Count, times = 1): void {
    this.#counts.set(what, this.of(what) + times)
  }

  of(what: Count): number {
    return this.#counts.get(what) ?? 0
  }

  /** Those of `expected` that never came. */
  missing(expected: readonly Count[] = ALL): readonly Count[] {
    return expected.filter((each) => this.of(each) === 0)
  }

  /** A line for each. */
  lines(expected: readonly Count[] = ALL): readonly string[] {
    return expected.map((each) => `${String(this.of(each)).padStart(9)}  ${each}`)
  }
}
