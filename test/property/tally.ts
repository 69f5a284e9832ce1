/** What is done to the nodes, their links, their database and their readers. */
const FAULTS = [
  'broker away',
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
const SEAMS = [
  'began fresh on an empty stream',
  'began fresh among writes',
  'resumed',
  'resumed on another node',
  'resumed from its receipt',
  'resumed while writes ran',
  'resumed with nothing missed',
  'replay of several pages',
  'replay waited for a slow reader',
  'history',
  'not recovered: unknown-epoch',
  'not recovered: malformed',
  'not recovered: not-a-stream',
  'delivered before the broker brought it',
  'duplicate dropped',
  'gap noticed',
  'hole filled',
  'outbox rows taken over',
  'request repeated',
] as const

/** What a broker and its links may do, each message by itself, and what is too rare for a few runs. */
const BUS = [
  'message delayed',
  'message reordered',
  'message doubled',
  'message dropped, hole told',
  'message dropped silently',
  'message held until a reader makes room',
  'link cut, messages kept',
  'link cut, messages lost',
  'publish refused',
  'event given up after refusals',
  'confirm late',
  'confirm lost',
  'resumed ahead of the gate',
  'not recovered: history-trimmed',
  'lost last event found by comparison',
] as const

/** What happens to connections with RabbitMQ that are cut. */
const RABBITMQ = [
  'link to RabbitMQ cut',
  'link to RabbitMQ established again',
  'published again after a cut',
  'published twice, dropped by its number',
  'redelivered, dropped by the fence',
  'inbox lost, hole told',
] as const

export type Count = (typeof FAULTS | typeof SEAMS | typeof BUS | typeof RABBITMQ)[number]

/** What must be met where the nodes talk through the bus of the test, or through RabbitMQ. */
export const EXPECTED = {
  bus: [...FAULTS, ...BUS, ...SEAMS],
  rabbitMq: [...FAULTS, ...RABBITMQ, ...SEAMS],
} as const satisfies Record<string, readonly Count[]>

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
  missing(expected: readonly Count[]): readonly Count[] {
    return expected.filter((each) => this.of(each) === 0)
  }

  /** A line for each. */
  lines(expected: readonly Count[]): readonly string[] {
    return expected.map((each) => `${String(this.of(each)).padStart(9)}  ${each}`)
  }
}
