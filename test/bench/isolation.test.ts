import t from 'tap'
import { relayClients } from '../../bench/contestants/relay.ts'
import { ATTACKS, CRIMES } from '../../bench/crimes/registry.ts'
import type { CrimeRecord } from '../../bench/crimes/scene.ts'
import { isolationClaims, crimeLines } from '../../bench/report/isolation-table.ts'
import { isolationFigures, limitMs, medianFigures } from '../../bench/scenarios/isolation-figures.ts'
import { isolationPlan } from '../../bench/scenarios/isolation-plan.ts'
import { runIsolation } from '../../bench/scenarios/isolation-run.ts'
import { LatencyHistogram } from '../../bench/measure/latency-histogram.ts'
import { isValid } from '../../bench/measure/round.ts'
import { useRabbitMq } from '../support/rabbitmq.ts'
import { useRelay } from '../support/relay.ts'
import { TEST_SECRET } from '../support/token.ts'
import { until } from '../support/until.ts'

// Whether all is delivered, once and in order, and what becomes of criminals; how late, a busy machine cannot
// tell. The memory alarm is left out: it would be one for all tests that share the node.
t.setTimeout(240_000)

const ALL = [...new Set([...CRIMES, ...ATTACKS])]

await t.test('well-behaved clients get everything beside each crime', async (t) => {
  const rabbit = await useRabbitMq(t)
  const relay = await useRelay(t, {
    NODE_ENV: 'production',
    AUTH_JWT_SECRET: TEST_SECRET,
    RABBITMQ_STOMP_URL: rabbit.stompUrl,
    RABBITMQ_AMQP_URL: rabbit.amqpUrl,
    LIMIT_SENDS_PER_SECOND: '100',
    LIMIT_SEND_BURST: '200',
    LIMIT_LOGINS_PER_MINUTE: '10',
    LIMIT_CONNECTING_PER_ADDRESS: '200',
    WS_COMPRESSION: 'on',
  })
  await until(async () => (await fetch(`${relay.address}/readyz`)).ok)
  const server = {
    ...relayClients(relay.address, TEST_SECRET),
    pids: {},
    stop: async () => relay.close(),
  }
  const load = {
    plan: isolationPlan(server.access, 2),
    publishers: 2,
    subscribers: 6,
    generators: 1,
    pacing: { kind: 'paced', messagesPerSecond: 20 } as const,
  }
  const durations = { warmUpMs: 0, measureMs: 500 }
  const records = new Map<string, CrimeRecord>()
  await runIsolation(server, { load, crimes: ALL, durations, settleMs: 100 }, (outcome) => {
    t.ok(isValid(outcome.round), `${outcome.crime}: ${JSON.stringify(outcome.round.faults)}`)
    t.comment(`${outcome.crime}: ${JSON.stringify(outcome.isolation?.record ?? {})}`)
    if (outcome.isolation !== undefined) records.set(outcome.crime, outcome.isolation.record)
  })
  for (const { name } of ALL) {
    const record = records.get(name) ?? {}
    t.ok(Object.keys(record).length > 0, `${name} was committed`)
    t.notOk('NOT CLOSED' in record, name)
  }
})

function counts(...ms: readonly number[]): readonly number[] {
  const histogram = new LatencyHistogram()
  for (const each of ms) histogram.record(each * 1000)
  return histogram.counts()
}

await t.test('p99 may be twice what it was, or 20 ms more, whichever is more', async (t) => {
  t.equal(limitMs(5), 25)
  t.equal(limitMs(50), 100)
  const without = counts(5, 5, 5)
  t.ok(isolationFigures('flood', { without, during: counts(24) }, {}).isMet)
  t.notOk(isolationFigures('flood', { without, during: counts(30) }, {}).isMet)
  t.notOk(isolationFigures('flood', { without, during: counts() }, {}).isMet, 'nothing was delivered')
})

await t.test('a crime that was committed several times is judged by its medians', async (t) => {
  const round = (p99: number) =>
    isolationFigures('flood', { without: counts(5), during: counts(p99) }, { SENDs: 2 })
  const figures = medianFigures([round(90), round(10), round(12)])
  t.ok(figures.isMet)
  t.match(figures, { crime: 'flood', record: { SENDs: 6 }, without: { count: 3 } })
  t.ok(Math.abs(figures.during.p99 - 12) < 1 && figures.rounds.min < 11 && figures.rounds.max > 85)
  t.notOk(medianFigures([round(90), round(10), round(91)]).isMet)
  const silent = isolationFigures('flood', { without: counts(5), during: counts() }, {})
  for (const rounds of [
    [silent, round(10), round(12)],
    [round(10), round(12), silent],
  ]) {
    t.notOk(medianFigures(rounds).isMet, 'nothing was delivered in one of them')
  }
})

await t.test('says what the crime did to others, and what became of it', async (t) => {
  const isolation = isolationFigures(
    'flood',
    { without: counts(5), during: counts(30) },
    { SENDs: 7, 'closed by the server with 1008 refused': 1 },
  )
  const row = {
    scenario: 'isolation',
    subscribers: 10,
    pacing: '',
    contestant: 'relay: flood',
    rounds: [],
    failures: [],
  }
  t.match(isolationClaims([row, { ...row, isolation }]), [{ text: /^flood: .*: MISSED\)$/, isMet: false }])
  t.same(crimeLines([row, { ...row, isolation }]), [
    'flood did, and came by: SENDs: 7, closed by the server with 1008 refused: 1',
  ])
})
