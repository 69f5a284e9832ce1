import { MessageError } from '../errors.ts'
import type { AppendedEvent, NewEventRow, OutboxRow, StoreTransaction } from '../store/store.ts'
import { DAY_MS, eventRow, eventTimes, type EventTimes, type NewEvent, type Retention } from './event-row.ts'

export interface Write<R> {
  readonly events: readonly NewEvent[]
  readonly result: R
}

/** A write that waits for its transaction. */
export interface BatchedWrite {
  readonly write: (tx: StoreTransaction) => Promise<Write<unknown>>
  /** `requestKey` of the request that it answers, where a repetition is to be recognized. */
  readonly key: string | undefined
}

export interface Answer {
  readonly result: unknown
  readonly eventIds: readonly string[]
}

/** What became of one write, if the transaction is committed. */
export type Outcome = (Answer & { readonly isRepeat: boolean }) | Error

export interface BatchOptions {
  /** When it happens. */
  readonly at: Date
  readonly retention: Retention
  readonly eventId: (event: AppendedEvent) => string
}

export interface WrittenBatch<W> {
  /** In the order of the writes. */
  readonly outcomes: readonly { readonly of: W; readonly outcome: Outcome }[]
  /** To be relayed, in commit order. */
  readonly outbox: readonly OutboxRow[]
}

/** A write that has run, and where its events are among those of the batch. */
interface Ran {
  readonly result: unknown
  readonly from: number
  readonly to: number
}

type Step =
  | { readonly kind: 'ran'; readonly ran: Ran }
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'repeats'; readonly first: Ran }
  | { readonly kind: 'remembered'; readonly answer: Answer }

/** For how long a repeated request is recognized (CONTRACT, section 5): at least, as trimming comes later. */
const REMEMBERED_MS = DAY_MS

/**
 * Runs the writes of a batch in one transaction. Each runs as a part of its own, so that a failed one
 * takes nobody along; what repeats a request runs not at all and gets the answer of the first, from
 * the store or from earlier in the batch. A failed first is none: the next equal one runs.
 *
 * Has no effect but on `tx`, since the store may call it again.
 */
export async function writeBatch<W extends BatchedWrite>(
  tx: StoreTransaction,
  writes: readonly W[],
  options: BatchOptions,
): Promise<WrittenBatch<W>> {
  const remembered = await findRemembered(tx, writes)
  const firsts = new Map<string, Ran>()
  const rows: NewEventRow[] = []
  const steps: { of: W; step: Step }[] = []
  const times = eventTimes(options.at, options.retention)
  for (const each of writes) {
    const step = repetition(each.key, remembered, firsts) ?? (await run(tx, { each, rows, times }))
    if (step.kind === 'ran' && each.key !== undefined) firsts.set(each.key, step.ran)
    steps.push({ of: each, step })
  }
  const appended = rows.length === 0 ? [] : await tx.appendEvents(rows)
  const outbox = rows.map((row, i) => outboxRow(row, at(appended, i)))
  const eventIds = outbox.map((row) => options.eventId(row))
  const expiresAt = new Date(options.at.getTime() + REMEMBERED_MS).toISOString()
  for (const [key, ran] of firsts) tx.requests.insert({ key, answer: answerOf(ran, eventIds), expiresAt })
  return { outcomes: steps.map(({ of, step }) => ({ of, outcome: outcomeOf(step, eventIds) })), outbox }
}

async function findRemembered(
  tx: StoreTransaction,
  writes: readonly BatchedWrite[],
): Promise<ReadonlyMap<string, unknown>> {
  const keys = new Set(writes.flatMap(({ key }) => key ?? []))
  return keys.size === 0 ? new Map() : tx.requests.find([...keys])
}

function repetition(
  key: string | undefined,
  remembered: ReadonlyMap<string, unknown>,
  firsts: ReadonlyMap<string, Ran>,
): Step | undefined {
  if (key === undefined) return undefined
  const first = firsts.get(key)
  if (first !== undefined) return { kind: 'repeats', first }
  if (!remembered.has(key)) return undefined
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only `writeBatch` inserts these
  return { kind: 'remembered', answer: remembered.get(key) as Answer }
}

/** Adds the events of a write that succeeds to `rows`. */
async function run(
  tx: StoreTransaction,
  { each, rows, times }: { each: BatchedWrite; rows: NewEventRow[]; times: EventTimes },
): Promise<Step> {
  try {
    const { result, own } = await tx.attempt(async () => {
      const written = await each.write(tx)
      return { result: written.result, own: written.events.map((event) => eventRow(event, times)) }
    })
    const from = rows.length
    rows.push(...own)
    return { kind: 'ran', ran: { result, from, to: rows.length } }
  } catch (error) {
    // The database did not answer or gave the transaction up: nothing after it in the batch could succeed.
    if (error instanceof MessageError && error.code === 'store-unavailable') throw error
    return { kind: 'failed', error: toError(error) }
  }
}

function answerOf({ result, from, to }: Ran, eventIds: readonly string[]): Answer {
  return { result, eventIds: eventIds.slice(from, to) }
}

function outcomeOf(step: Step, eventIds: readonly string[]): Outcome {
  switch (step.kind) {
    case 'failed':
      return step.error
    case 'ran':
      return { ...answerOf(step.ran, eventIds), isRepeat: false }
    case 'repeats':
      return { ...answerOf(step.first, eventIds), isRepeat: true }
    case 'remembered':
      return { result: step.answer.result, eventIds: step.answer.eventIds, isRepeat: true }
  }
}

function outboxRow(row: NewEventRow, event: AppendedEvent): OutboxRow {
  const { stream, address, headers, body } = row
  return { seq: event.seq, stream, offset: event.offset, address, headers, body }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new MessageError('internal', 'the write failed', { cause: error })
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index]
  if (item === undefined) throw new MessageError('internal', 'the store answered too few events')
  return item
}
