import type { Conversation } from '../../src/store/store.ts'
import type { Database } from './database.ts'
import { READER, type PlannedMessage } from './message-plan.ts'
import type { Reader, Reading } from './reader.ts'

export interface Verdict {
  /** Messages in the store. */
  readonly stored: number
  /** Of what was receipted, in the store or at a subscriber. */
  readonly missing: number
  readonly doubled: number
  /** What is wrong, in words. */
  readonly faults: readonly string[]
}

export interface Evidence {
  readonly database: Database
  readonly receipted: readonly PlannedMessage[]
  readonly readers: readonly Reader[]
  /** Contents that the broker was handed for topics, once or more often. */
  readonly relayed: ReadonlySet<string>
}

/** Counts what is wrong, and keeps the first words for it. */
class Findings {
  missing = 0
  doubled = 0
  readonly faults: string[] = []

  lacks(where: string, what: readonly unknown[]): void {
    this.missing += what.length
    if (what.length > 0) this.faults.push(`${where} lacks ${what.length}: ${what.slice(0, 5).join(', ')}`)
  }

  repeats(where: string, what: readonly unknown[]): void {
    this.doubled += what.length
    if (what.length > 0) this.faults.push(`${where} repeats ${what.length}: ${what.slice(0, 5).join(', ')}`)
  }

  claim(holds: boolean, fault: string): void {
    if (!holds) this.faults.push(fault)
  }
}

/**
 * Compares what was receipted with what is stored, and that with what each subscriber received. All must
 * be at rest.
 */
export async function judge({ database, receipted, readers, relayed }: Evidence): Promise<Verdict> {
  const findings = new Findings()
  const writers = new Set(receipted.map(({ clientId }) => clientId.slice(0, clientId.lastIndexOf('-'))))
  const stored = await storedMessages(database, [...writers])
  compare(findings, 'the table of messages', {
    wanted: receipted.map(({ clientId }) => clientId),
    found: stored,
  })
  const unrelayed = receipted.filter((message) => isPublic(message) && !relayed.has(message.clientId))
  findings.lacks(
    'the broker',
    unrelayed.map(({ clientId }) => clientId),
  )
  const logs = new Map<string, readonly string[]>()
  for (const stream of new Set(receipted.flatMap(({ streams }) => streams))) {
    const log = await logOf(database, stream, findings)
    const wanted = receipted.filter(({ streams }) => streams.includes(stream)).map(({ clientId }) => clientId)
    compare(findings, `the log of ${stream}`, { wanted, found: log })
    logs.set(stream, log)
  }
  for (const reader of readers) {
    for (const reading of reader.readings) {
      judgeReading(findings, `${reader.name} of ${reading.stream}`, {
        reading,
        log: logs.get(reading.stream) ?? [],
      })
    }
    findings.faults.push(...reader.faults.map((fault) => `${reader.name}: ${fault}`))
  }
  const { missing, doubled, faults } = findings
  return { stored: stored.length, missing, doubled, faults }
}

/** Whether it is relayed to a topic that everybody may hear. */
export function isPublic({ streams }: PlannedMessage): boolean {
  return streams.every((stream) => stream.startsWith('/topic/'))
}

async function storedMessages(database: Database, writers: readonly string[]): Promise<readonly string[]> {
  const conversations: Conversation[] = [
    { kind: 'public' },
    { kind: 'room', room: 'tea' },
    { kind: 'room', room: 'coffee' },
    ...writers.map((writer) => ({ kind: 'private', users: [writer, READER] }) as const),
  ]
  const rows = []
  for (const conversation of conversations) rows.push(...(await database.messages(conversation)))
  return rows.map(({ clientId }) => clientId ?? '')
}

/** Contents, the one with offset 1 first. */
async function logOf(database: Database, stream: string, findings: Findings): Promise<readonly string[]> {
  const events = await database.events(stream)
  const head = await database.head(stream)
  findings.claim(
    events.length === head && events.every(({ offset }, i) => offset === i + 1),
    `the log of ${stream} has ${events.length} events and not one for each offset up to ${head}`,
  )
  return events.map(({ body }) => (JSON.parse(body) as { content: string }).content)
}

function compare(
  findings: Findings,
  where: string,
  { wanted, found }: { wanted: readonly string[]; found: readonly string[] },
): void {
  const once = new Set(found)
  findings.lacks(
    where,
    wanted.filter((each) => !once.has(each)),
  )
  findings.repeats(where, repeated(found))
  const known = new Set(wanted)
  const strange = found.filter((each) => !known.has(each))
  findings.claim(
    strange.length === 0,
    `${where} has what nobody was receipted: ${strange.slice(0, 5).join(', ')}`,
  )
}

function judgeReading(
  findings: Findings,
  where: string,
  { reading, log }: { reading: Reading; log: readonly string[] },
): void {
  const { begin = NaN, received } = reading
  const offsets = received.map(({ offset }) => offset)
  const had = new Set(offsets)
  const wanted = log.map((_, i) => i + 1).filter((offset) => offset > begin)
  findings.lacks(
    where,
    wanted.filter((offset) => !had.has(offset)),
  )
  findings.repeats(where, repeated(offsets))
  findings.claim(
    offsets.every((offset, i) => i === 0 || offset > offsets[i - 1]!),
    `${where}: out of order`,
  )
  const wrong = received.filter(({ offset, content }) => log[offset - 1] !== content)
  findings.claim(wrong.length === 0, `${where}: ${wrong.length} events are not those of the log`)
}

function repeated<T>(list: readonly T[]): readonly T[] {
  const seen = new Set<T>()
  return list.filter((each) => {
    const isRepeated = seen.has(each)
    seen.add(each)
    return isRepeated
  })
}
