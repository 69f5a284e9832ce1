import { isFaultless, addFaults, NO_FAULTS } from '../load/delivery-checker.ts'
import type { Machine } from '../measure/machine.ts'
import { isValid, type RoundFigures } from '../measure/round.ts'
import { spread, summarize } from '../measure/rounds.ts'
import type { Row } from '../scenarios/row.ts'

const HEADINGS = [
  'scenario',
  'N',
  'contestant',
  'deliveries/s',
  'CPU us/delivery',
  'relay',
  'broker',
  'database',
  'MiB relay',
  'MiB broker',
  'frames/write',
  'bytes',
  'p50 ms',
  'p99 ms',
  'generator',
  'lost/doubled/reordered',
]

export function machineLine(machine: Machine): string {
  return (
    `${machine.cores} cores ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.platform}, ` +
    `Node ${machine.node}, RabbitMQ ${machine.rabbitmq}`
  )
}

/** Medians; `±` is half the range over the rounds. `~` marks frames per write that were not counted by the server. */
export function table(rows: readonly Row[]): string {
  const lines = [HEADINGS, ...rows.map(cells)]
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  return lines
    .map((line) =>
      line.map((cell, i) => (i === 0 || i === 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))),
    )
    .map((line) => line.join('  ').trimEnd())
    .join('\n')
}

/** Whether any round of the row lost, doubled or reordered something, or broke off. */
export function hasFailed(row: Row): boolean {
  return row.failures.length > 0 || !row.rounds.every(isValid)
}

function cells(row: Row): readonly string[] {
  const head = [row.scenario, String(row.subscribers), row.contestant]
  if (row.rounds.length === 0) return [...head, ...HEADINGS.slice(4).map(() => '-'), 'FAILED']
  const median = (pick: (round: RoundFigures) => number): number => summarize(row.rounds.map(pick)).median
  const counted = row.rounds.every((round) => round.isFramesPerWriteCounted)
  const given =
    row.contestant === 'raw-ws' ? ` (given ${summarize(row.framesPerWriteGiven ?? [1]).median})` : ''
  return [
    ...head,
    withSpread(row, (round) => round.deliveriesPerSecond, 0),
    withSpread(row, (round) => round.cpuUsPerDelivery.total, 2),
    figure(median((round) => round.cpuUsPerDelivery.relay)),
    figure(median((round) => round.cpuUsPerDelivery.broker)),
    figure(median((round) => round.cpuUsPerDelivery.database)),
    figure(
      median((round) => round.rssMiB.relay),
      0,
    ),
    figure(
      median((round) => round.rssMiB.broker),
      0,
    ),
    `${counted ? '' : '~'}${median((round) => round.framesPerWrite).toFixed(1)}${given}`,
    figure(
      median((round) => round.bytesPerDelivery),
      0,
    ),
    figure(
      median((round) => round.latencyMs.p50),
      1,
    ),
    figure(
      median((round) => round.latencyMs.p99),
      1,
    ),
    `${(median((round) => round.generatorLoad) * 100).toFixed(0)} %`,
    verdict(row),
  ]
}

function withSpread(row: Row, pick: (round: RoundFigures) => number, digits: number): string {
  const summary = summarize(row.rounds.map(pick))
  if (Number.isNaN(summary.median)) return '-'
  return `${summary.median.toFixed(digits)} ±${(spread(summary) * 100).toFixed(0)}%`
}

function figure(value: number, digits = 2): string {
  return value === 0 || Number.isNaN(value) ? '-' : value.toFixed(digits)
}

function verdict(row: Row): string {
  const faults = row.rounds.map((round) => round.faults).reduce(addFaults, NO_FAULTS)
  const { lost, doubled, reordered, foreign } = faults
  const text = `${lost}/${doubled}/${reordered}${foreign > 0 ? ` foreign ${foreign}` : ''}`
  const isBehind = row.rounds.some((round) => round.hasHeldBack)
  return `${text}${isBehind ? ' rate not kept' : ''}${hasFailed(row) || !isFaultless(faults) ? ' FAILED' : ''}`
}
