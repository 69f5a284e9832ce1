import type { Recovery, RecoveryFailure, StartPosition } from '../../src/fanout/replay.ts'

/** How a reader begins: afresh, with history, behind the last event that it has, or with an id that will not do. */
export type Begin =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'history'; readonly from: StartPosition; readonly count: number }
  | { readonly kind: 'resume'; readonly from: StartPosition; readonly last: number }
  | { readonly kind: 'wrong'; readonly from: StartPosition; readonly reason: RecoveryFailure }

/** One connection of a reader to a stream, from its SUBSCRIBE on. */
export interface Visit {
  readonly begin: Begin
  /** What the RECEIPT said; undefined where the reader was cut off before. */
  readonly recovery: Recovery | undefined
  /** What it was sent, in that order. */
  readonly offsets: readonly number[]
  /** Whether events may be trimmed before the node has sent them. */
  readonly trims: boolean
}

export interface Verdict {
  readonly faults: readonly string[]
  /** Offsets left out, which must have been trimmed: from, to. */
  readonly jumps: readonly (readonly [number, number])[]
  /** What the reader resumes from; undefined where it has nothing yet. */
  readonly last: number | undefined
}

/** Judges whether a reader was sent what it was promised, each once and in order. */
export function judge(visit: Visit): Verdict {
  const judgement = new Judgement(visit)
  if (visit.recovery === undefined) judgement.cutOff()
  else judgement.received(visit.recovery)
  return judgement.verdict()
}

class Judgement {
  readonly #visit: Visit
  readonly #faults: string[] = []
  readonly #jumps: (readonly [number, number])[] = []
  #last: number | undefined

  constructor(visit: Visit) {
    this.#visit = visit
  }

  verdict(): Verdict {
    return { faults: this.#faults, jumps: this.#jumps, last: this.#last }
  }

  /** Whatever came before the RECEIPT did follow what the reader had. */
  cutOff(): void {
    const { begin, offsets, trims } = this.#visit
    const before = begin.kind === 'resume' ? begin.last : (offsets[0] ?? 1) - 1
    this.#follow(before, offsets, trims)
    this.#last = offsets.at(-1) ?? (begin.kind === 'resume' ? begin.last : undefined)
  }

  received(recovery: Recovery): void {
    const { begin, offsets, trims } = this.#visit
    const position = recovery.position?.offset
    if (position === undefined) {
      this.#faults.push('the receipt has no position')
      return
    }
    const replayed = offsets.filter((offset) => offset <= position)
    const live = offsets.slice(replayed.length)
    if (begin.kind === 'history') this.#history(begin.count, position, replayed)
    else if (begin.kind === 'resume') this.#resumed(begin.last, recovery, { position, replayed })
    else {
      this.#expect(replayed.length === 0, `sent ${replayed.join()} before its beginning at ${position}`)
      if (begin.kind === 'wrong') this.#refused(recovery, begin.reason)
    }
    this.#follow(position, live, trims)
    const end = offsets.at(-1) ?? position
    // What was left to replay may be trimmed in the middle of it; who is told so goes on from the receipt.
    this.#expect(trims || end >= position, `was at ${end} when told ${position}`)
    this.#last = Math.max(end, position)
  }

  #history(count: number, position: number, replayed: readonly number[]): void {
    const { trims } = this.#visit
    this.#follow((replayed[0] ?? 1) - 1, replayed, trims)
    if (trims) return
    const wanted = Math.min(count, position)
    this.#expect(replayed.length >= wanted, `sent ${replayed.length} of ${wanted} last ones`)
    this.#expect(wanted === 0 || replayed.at(-1) === position, `history ends before ${position}`)
  }

  #resumed(
    last: number,
    recovery: Recovery,
    { position, replayed }: { position: number; replayed: readonly number[] },
  ): void {
    this.#follow(last, replayed, false)
    const end = replayed.at(-1) ?? last
    if (recovery.recovered === true) {
      this.#expect(end === position, `recovered to ${end}, and was told ${position}`)
      return
    }
    this.#refused(recovery, 'history-trimmed')
    this.#expect(this.#visit.trims, 'nothing was trimmed')
    if (end < position) this.#jumps.push([end + 1, end + 1])
  }

  #refused({ recovered, reason }: Recovery, expected: RecoveryFailure): void {
    this.#expect(
      recovered === false && reason === expected,
      `recovered: ${String(recovered)}, ${reason ?? 'no reason'}, instead of ${expected}`,
    )
  }

  /** Each is the one after the one before. */
  #follow(before: number, offsets: readonly number[], mayJump: boolean): void {
    let last = before
    for (const offset of offsets) {
      if (offset > last + 1 && mayJump) this.#jumps.push([last + 1, offset - 1])
      else this.#expect(offset === last + 1, `sent ${offset} after ${last}`)
      last = offset
    }
  }

  #expect(holds: boolean, otherwise: string): void {
    if (!holds) this.#faults.push(otherwise)
  }
}
