import { EXPOSED } from '../contestants/registry.ts'
import type { LoadSetting } from '../load/load-group.ts'
import type { Pacing } from '../load/process-messages.ts'
import type { BenchOptions } from '../options.ts'
import { chatPlan, type ChatKind } from './chat-plan.ts'
import { emptyRow, measureInto, progressLine, type MeasuredRow } from './measured-row.ts'
import type { RunningEntry, Scenario } from './scenario.ts'

const DEFAULT_SUBSCRIBERS = [100]
const ROOMS = 4
const PUBLISHERS = 8

/** How rows in which nothing is stored are called. */
const ROW_NAMES = { persistent: 'unstored', transient: 'transient' } as const

interface Turn {
  readonly row: MeasuredRow
  readonly entry: RunningEntry
  readonly load: LoadSetting
}

/**
 * What storing costs: N people in 4 rooms, 8 more who write, each message stored and relayed to all N
 * (`relay+sqlite`), against the same without storing (`relay+unstored`), which differs in nothing but
 * where publishers SEND to: it is the same running server, and RabbitMQ gets messages as persistent as
 * stored ones. `relay+transient` are SENDs without `persistent:true`.
 */
export const chat: Scenario = {
  isPlayedBy: ({ name, database }) => database !== undefined && name !== EXPOSED,
  async run(context) {
    const { options, contestants } = context
    for (const subscribers of options.subscriberCounts ?? DEFAULT_SUBSCRIBERS) {
      const turns = contestants.flatMap((entry) => {
        const kinds = isFirstOfFamily(entry, contestants) ? allKinds(entry) : (['stored'] as const)
        return kinds.map((kind) => turn(entry, kind, subscribers, options))
      })
      for (let round = 1; round <= options.rounds; round++) {
        for (const { row, entry, load } of turns) {
          const figures = await measureInto(row, entry.running, load, { options, framesPerWrite: 1 })
          context.say(progressLine(row, round, figures))
        }
      }
      context.rows.push(...turns.map(({ row }) => row))
    }
  },
}

function turn(entry: RunningEntry, kind: ChatKind, subscribers: number, options: BenchOptions): Turn {
  const pacing: Pacing = { kind: 'saturated', window: options.window }
  const contestant = `${family(entry)}+${kind === 'stored' ? entry.database : ROW_NAMES[kind]}`
  return {
    entry,
    row: emptyRow({ scenario: 'chat', subscribers, pacing, contestant }),
    load: {
      plan: chatPlan(entry.running.access, kind, ROOMS),
      publishers: PUBLISHERS,
      subscribers,
      generators: options.generators,
      pacing,
    },
  }
}

/** Without RabbitMQ persistence is nothing. */
function allKinds({ running }: RunningEntry): readonly ChatKind[] {
  return running.pids.broker === undefined ? ['persistent', 'stored'] : ['transient', 'persistent', 'stored']
}

/** Servers that differ in their database only share the row in which nothing is stored. */
function isFirstOfFamily(entry: RunningEntry, all: readonly RunningEntry[]): boolean {
  return all.find((other) => family(other) === family(entry)) === entry
}

function family({ name }: RunningEntry): string {
  return name.split('+')[0] ?? name
}
