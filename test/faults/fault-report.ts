/** What one kind of subscriber had received when a fault was over and everything had settled. */
export interface Reception {
  /** `topic, same node`, `room (stream), other node`, `queue, client-individual`, `sse` … */
  readonly subscriber: string
  /** What it was owed: published while it was subscribed, and not under a declared hole. */
  readonly owed: number
  readonly received: number
  readonly lost: number
  readonly doubled: number
  readonly outOfOrder: number
  /** Some of the lost, for whoever has to find out why. */
  readonly lostOnes?: readonly string[]
}

/** What one run of one fault did, in the words of the table that `npm run faults` prints. */
export interface FaultReport {
  /** What was done to what: `every link cut, 20 times`. */
  readonly fault: string
  readonly published: number
  readonly receptions: readonly Reception[]
  /** From the last blow until everything that was owed had arrived, milliseconds. */
  readonly recoveryMs: number
  /** Holes that the relay declared: at most what the fault allows, which its test says. */
  readonly holes: number
}

/** How much a run does: `npm test` runs short ones, `npm run faults` long ones. */
export interface FaultSize {
  readonly messages: number
  readonly blows: number
}

/** Lost messages that are named, beside the last one. */
const SHOWN = 3

const COLUMNS = [
  'fault',
  'published',
  'subscriber',
  'received',
  'lost',
  'doubled',
  'out of order',
  'recovery ms',
  'holes',
]

/** The reports as a Markdown table, a row for each kind of subscriber. */
export function faultTable(reports: readonly FaultReport[]): string {
  const rows = reports.flatMap((report) =>
    report.receptions.map((each, index) => {
      const head = index === 0 ? [report.fault, String(report.published)] : ['', '']
      const tail = index === 0 ? [String(Math.round(report.recoveryMs)), String(report.holes)] : ['', '']
      const counts = [each.received, each.lost, each.doubled, each.outOfOrder].map(String)
      return [...head, each.subscriber, ...counts, ...tail]
    }),
  )
  return [COLUMNS, COLUMNS.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/**
 * Compares what a subscriber got with what it was owed; `owed` is in the order of publishing, per origin
 * where there are several: only messages with the same `origin` have an order among them.
 */
export function reception(
  subscriber: string,
  owed: readonly string[],
  got: readonly string[],
  originOf: (message: string) => string = () => '',
): Reception {
  const place = new Map(owed.map((message, index) => [message, index]))
  const seen = new Set<string>()
  const newest = new Map<string, number>()
  let doubled = 0
  let outOfOrder = 0
  for (const message of got) {
    if (seen.has(message)) doubled += 1
    seen.add(message)
    const index = place.get(message)
    // What was not owed may have come all the same, and has no place.
    if (index === undefined) continue
    const origin = originOf(message)
    if (index < (newest.get(origin) ?? -1)) outOfOrder += 1
    else newest.set(origin, index)
  }
  const lost = owed.filter((message) => !seen.has(message))
  return {
    subscriber,
    owed: owed.length,
    received: got.length,
    lost: lost.length,
    doubled,
    outOfOrder,
    lostOnes: [...lost.slice(0, SHOWN), ...lost.slice(SHOWN).slice(-1)],
  }
}
