import t from 'tap'
import { usePostgres } from '../support/postgres.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { temporaryFolder } from '../support/relay.ts'
import { KILL_POINTS } from './kill-point.ts'
import { runKills } from './kill-run.ts'
import { seeded } from './seeded.ts'

// Each point once, with few messages; `kill-nine.ts` shows the same with many, and on MariaDB. What neither can show is the
// death of a whole machine, or of a node that goes on believing it lives.
t.setTimeout(240_000)

const SEED = Math.floor(Math.random() * 1_000_000)
t.comment(`seed ${SEED}`)

const runs = [
  { name: 'SQLite', nodes: 1, use: async () => `sqlite:${await temporaryFolder(t)}/relay.db` },
  { name: 'PostgreSQL', nodes: 2, use: () => usePostgres(t) },
].map(({ name, nodes, use }) => ({ name, nodes, report: run(nodes, use) }))

async function run(nodes: number, use: () => Promise<string>) {
  const [databaseUrl, rabbitMq] = await Promise.all([use(), useRabbitMq(t)])
  const random = seeded(SEED)
  return runKills(t, { databaseUrl, rabbitMq, nodes, messages: 1000, points: KILL_POINTS, random })
}

// They wait for leases most of the time, so that all run at once. A failure shows in its own test.
await Promise.allSettled(runs.map(({ report }) => report))

for (const { name, nodes, report } of runs) {
  await t.test(`nothing is lost or doubled on ${name} when nodes are killed at each point`, async (t) => {
    const { faults, missing, doubled, kills, receipted, stored, ...seen } = await report
    t.comment(JSON.stringify({ receipted, stored, ...seen }))
    t.same(faults, [])
    t.same({ missing, doubled, kills }, { missing: 0, doubled: 0, kills: KILL_POINTS.length })
    t.ok(receipted >= 1000 && stored === receipted, 'all that was receipted is stored, and nothing else')
    t.ok(seen.sentAgain > 0 && seen.repeats > 0, 'some were sent again that had been stored')
    t.ok(seen.resumed > 0, 'subscribers resumed')
    if (nodes > 1) t.ok(seen.filled > 0, 'holes were filled that a dead node had left')
    t.ok(
      seen.takeOvers.some(({ rows, by }) => rows > 0 && by === (nodes === 1 ? 'successor' : 'survivor')),
      'what was left behind was taken over',
    )
  })
}
