import type { FaultReport, FaultSize } from './fault-report.ts'

/** Takes what has to end with the fault. */
export interface Stage {
  teardown(fn: () => Promise<void>): void
}

/** Something that goes wrong while messages are under way. */
export interface Fault {
  /** That of its file: `npm run faults -- --only NAME`. */
  readonly name: string
  /** In `npm test`. */
  readonly short: FaultSize
  /** In `npm run faults`. */
  readonly long: FaultSize
  /** Holes that the relay may declare in a run of this size. */
  maxHoles(size: FaultSize): number
  /**
   * Starts what it needs, strikes, and judges when all is at rest.
   *
   * @throws Error where something else went wrong than messages
   */
  run(stage: Stage, size: FaultSize): Promise<FaultReport>
}

/** What a report should not say, in words. */
export function wrongsOf(fault: Fault, size: FaultSize, report: FaultReport): string[] {
  const rows = report.receptions.flatMap(({ subscriber, owed, lost, lostOnes, doubled, outOfOrder }) => [
    ...(owed === 0 ? [`${subscriber}: was owed nothing, which shows nothing`] : []),
    ...(lost > 0 ? [`${subscriber}: ${lost} lost: ${lostOnes?.join(', ')}`] : []),
    ...(doubled > 0 ? [`${subscriber}: ${doubled} doubled`] : []),
    ...(outOfOrder > 0 ? [`${subscriber}: ${outOfOrder} out of order`] : []),
  ])
  const allowed = fault.maxHoles(size)
  const holes = report.holes > allowed ? [`${report.holes} holes, where ${allowed} are allowed`] : []
  return [...rows, ...holes].map((wrong) => `${fault.name}: ${wrong}`)
}
