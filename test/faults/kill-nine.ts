import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { Teardown } from '../../src/lib/teardown.ts'
import { useMariaDb } from '../support/mariadb.ts'
import { usePostgres } from '../support/postgres.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { temporaryFolder } from '../support/relay.ts'
import { isKillPoint, KILL_POINTS } from './kill-point.ts'
import { runKills, type KillRunReport, type TakeOver } from './kill-run.ts'
import { seeded } from './seeded.ts'

/*
 * Shows that `kill -9` of a node loses and doubles nothing:
 *
 *   node --import tsx test/faults/kill-nine.ts [--database sqlite|postgres|mariadb]
 *     [--point before-commit|after-commit|before-confirm|before-removal]
 *     [--messages 10000] [--kills 6] [--seed N]
 *
 * Without a database or a point it goes through all of them. Ends with exit code 1 on any fault.
 */
const { values } = parseArgs({
  options: {
    database: { type: 'string', default: 'all' },
    point: { type: 'string', default: 'all' },
    messages: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '6' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
  },
})

type Use = (t: { teardown(fn: () => Promise<void>): void }) => Promise<string>

const DATABASES: readonly { readonly name: string; readonly nodes: number; readonly use: Use }[] = [
  { name: 'sqlite', nodes: 1, use: async (t) => `sqlite:${await temporaryFolder(t)}/relay.db` },
  { name: 'postgres', nodes: 2, use: usePostgres },
  { name: 'mariadb', nodes: 2, use: useMariaDb },
]

const databases = DATABASES.filter(({ name }) => values.database === 'all' || values.database === name)
const points = KILL_POINTS.filter((point) => values.point === 'all' || values.point === point)
const messages = Number(values.messages)
const kills = Number(values.kills)
if (databases.length === 0) throw new Error(`--database ${values.database}: all, sqlite, postgres or mariadb`)
if (values.point !== 'all' && !isKillPoint(values.point)) {
  throw new Error(`--point ${values.point}: all or one of ${KILL_POINTS.join(', ')}`)
}

const COLUMNS: readonly (readonly [title: string, width: number, of: (report: KillRunReport) => string])[] = [
  ['kills', 5, ({ kills: count }) => String(count)],
  ['sent', 6, ({ sent }) => String(sent)],
  ['again', 5, ({ sentAgain }) => String(sentAgain)],
  ['receipted', 9, ({ receipted }) => String(receipted)],
  ['stored', 6, ({ stored }) => String(stored)],
  ['repeats', 7, ({ repeats }) => String(repeats)],
  ['resumed', 7, ({ resumed }) => String(resumed)],
  ['filled', 6, ({ filled }) => String(filled)],
  ['dropped', 7, ({ duplicates }) => String(duplicates)],
  ['missing', 7, ({ missing }) => String(missing)],
  ['doubled', 7, ({ doubled }) => String(doubled)],
  ['take-over s', 11, ({ takeOvers }) => spread(takeOvers)],
  ['seconds', 7, ({ seconds }) => seconds.toFixed(0)],
]

/** Where nothing was left behind there was nothing to take over. */
function spread(takeOvers: readonly TakeOver[]): string {
  const list = takeOvers.filter(({ rows }) => rows > 0).map(({ seconds }) => seconds)
  if (list.length === 0) return '-'
  return `${Math.min(...list).toFixed(1)}-${Math.max(...list).toFixed(1)}`
}

function line(database: string, point: string, cells: readonly string[]): string {
  const padded = cells.map((cell, i) => cell.padStart(COLUMNS[i]?.[1] ?? 0))
  return [database.padEnd(8), point.padEnd(14), ...padded].join('  ')
}

function details({ delivered, takeOvers, faults }: KillRunReport): string[] {
  const took = takeOvers.map(
    ({ rows, seconds, by }) => `${rows} rows in ${seconds.toFixed(1)} s by the ${by}`,
  )
  return [
    `          delivered to each subscriber: ${delivered.join(' ')} (the last one came later)`,
    `          left behind: ${took.join(', ')}`,
    ...faults.map((fault) => `  FAULT   ${fault}`),
  ]
}

async function main(): Promise<boolean> {
  console.log(`seed ${values.seed}, ${messages} messages and ${kills} kills at each point`)
  console.log(
    line(
      'database',
      'point',
      COLUMNS.map(([title]) => title),
    ),
  )
  const random = seeded(Number(values.seed))
  let isRight = true
  for (const { name, nodes, use } of databases) {
    for (const point of points) {
      const teardown = new Teardown()
      const t = { teardown: (step: () => void | Promise<void>) => teardown.add(async () => step()) }
      try {
        const rabbitMq = await useRabbitMq(t)
        const databaseUrl = await use(t)
        const report = await runKills(t, {
          databaseUrl,
          rabbitMq,
          nodes,
          messages,
          points: Array.from({ length: kills }, () => point),
          random,
        })
        console.log(
          line(
            name,
            point,
            COLUMNS.map(([, , of]) => of(report)),
          ),
        )
        console.log(details(report).join('\n'))
        isRight &&= report.faults.length === 0
      } finally {
        await teardown.run()
      }
    }
  }
  return isRight
}

process.exitCode = (await main()) ? 0 : 1
