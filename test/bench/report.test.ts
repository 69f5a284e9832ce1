import t from 'tap'
import { NO_FAULTS } from '../../bench/load/delivery-checker.ts'
import type { RoundFigures } from '../../bench/measure/round.ts'
import { readOptions } from '../../bench/options.ts'
import { slowdowns } from '../../bench/report/slowdown.ts'
import { hasFailed, table } from '../../bench/report/table.ts'
import { ratios } from '../../bench/report/targets.ts'
import type { Row } from '../../bench/scenarios/row.ts'

const KNOWN = { scenarios: ['fan-out', 'other'], contestants: ['relay', 'web-stomp', 'raw-ws'] }

function round(
  deliveriesPerSecond: number,
  cpuUs: number,
  changes: Partial<RoundFigures> = {},
): RoundFigures {
  return {
    seconds: 1,
    deliveriesPerSecond,
    messagesPerSecond: deliveriesPerSecond / 500,
    cpuUsPerDelivery: { total: cpuUs, relay: cpuUs, broker: 0, database: 0 },
    rssMiB: { relay: 100, broker: 0 },
    framesPerWrite: 2,
    isFramesPerWriteCounted: true,
    bytesPerDelivery: 300,
    latencyMs: { p50: 1, p99: 2 },
    generatorLoad: 0.5,
    faults: NO_FAULTS,
    isDrained: true,
    hasHeldBack: false,
    ...changes,
  }
}

function row(contestant: string, rounds: readonly RoundFigures[], failures: readonly string[] = []): Row {
  return { scenario: 'fan-out', subscribers: 500, pacing: 'window 50', contestant, rounds, failures }
}

await t.test('says which targets are met and which are missed', async (t) => {
  const rows = [
    row('relay', [round(300_000, 1.5), round(320_000, 1.4), round(280_000, 1.6)]),
    row('web-stomp', [round(15_000, 50)]),
    row('raw-ws', [round(900_000, 1.3)]),
  ]
  t.match(ratios(rows), [
    { text: /20\.00 x the deliveries\/s of web-stomp .*: met/, isMet: true },
    { text: /1\/33\.3 of the CPU per delivery of web-stomp .*: MISSED/, isMet: false },
    { text: /1\.15 x the own CPU per delivery.* of raw-ws .*: met/, isMet: true },
  ])
})

await t.test('judges what storing costs where it was promised', async (t) => {
  const chat = (contestant: string, deliveries: number, subscribers = 100): Row => ({
    ...row(contestant, [round(deliveries, 2)]),
    scenario: 'chat',
    subscribers,
  })
  const rows = [
    chat('relay+transient', 1200),
    chat('relay+unstored', 1000),
    chat('relay+sqlite', 850),
    chat('relay+postgres', 700),
    chat('memory+unstored', 1000),
    chat('memory+sqlite', 100),
  ]
  const verdicts = ratios(rows).filter(({ text }) => text.includes('deliveries/s'))
  t.same(
    verdicts.map(({ isMet }) => isMet),
    [true, undefined, false, undefined, undefined],
  )
  t.match(verdicts[0]?.text, /relay\+sqlite has 0\.85 x .* of relay\+unstored \(target >= 0\.8/)
  t.match(verdicts[1]?.text, /relay\+sqlite has 0\.71 x .* of relay\+transient$/)
  const few = ratios([chat('relay+unstored', 1000, 10), chat('relay+sqlite', 100, 10)])
  t.same(
    few.map(({ isMet }) => isMet),
    [undefined, undefined],
  )
})

await t.test('fails a row that lost something, did not drain or broke off', async (t) => {
  const good = round(1000, 1)
  t.notOk(hasFailed(row('relay', [good])))
  t.ok(hasFailed(row('relay', [good, round(1, 1, { faults: { ...NO_FAULTS, lost: 1 } })])))
  t.ok(hasFailed(row('relay', [round(1, 1, { isDrained: false })])))
  t.ok(hasFailed(row('relay', [good], ['refused'])))
})

await t.test('prints faults where a reader looks for them', async (t) => {
  const faults = { lost: 3, doubled: 2, reordered: 1, foreign: 0 }
  const text = table([row('relay', [round(1000, 1, { faults })]), row('web-stomp', [], ['refused'])])
  t.match(text, /relay .* 3\/2\/1 FAILED\n/)
  t.match(text, /web-stomp .* FAILED$/)
})

await t.test('calls slower only what is slower by more than 10 % beyond the spread', async (t) => {
  const base = row('base', [round(1000, 10)])
  const verdicts = (...rounds: readonly RoundFigures[]): readonly boolean[] =>
    slowdowns([row('relay', rounds), base], 'base').map(({ isFault }) => isFault)
  t.same(verdicts(round(950, 10.9)), [false, false])
  t.same(verdicts(round(850, 11.5)), [true, true])
  t.same(verdicts(round(750, 11.5), round(850, 11.5), round(950, 11.5)), [false, true])
  t.same(verdicts(round(2000, 5)), [false, false])
})

await t.test('compares each row of the relay with the same row of the base', async (t) => {
  const rows = [row('relay+sqlite', [round(500, 10)]), row('base+sqlite', [round(1000, 10)])]
  t.match(slowdowns([...rows, row('base', [round(1, 1)])], 'base'), [
    { text: /relay\+sqlite deliveries.* than base\+sqlite/, isFault: true },
    { isFault: false },
  ])
})

await t.test('takes contestants in the order of the registry, whatever the order asked for', async (t) => {
  const options = readOptions(
    ['fan-out', '--contestants', 'raw-ws,relay', '--n', '1,20', '--rounds', '5'],
    KNOWN,
  )
  t.match(options, {
    scenarios: ['fan-out'],
    contestants: ['relay', 'raw-ws'],
    subscriberCounts: [1, 20],
    rounds: 5,
  })
  t.same(readOptions([], KNOWN).scenarios, KNOWN.scenarios)
  t.equal(readOptions([], KNOWN).subscriberCounts, undefined)
  t.equal(readOptions([], KNOWN).subscriberCounts, undefined)
})

await t.test('refuses arguments that mean nothing', async (t) => {
  for (const args of [
    ['nothing'],
    ['--contestants', 'relay,nobody'],
    ['--n', '10,x'],
    ['--n', '0'],
    ['--rounds', '1.5'],
    ['--rounds', '101'],
    ['--seconds', '-1'],
    ['--unknown'],
  ]) {
    t.throws(() => readOptions(args, KNOWN), { name: 'UsageError' }, args.join(' '))
  }
})
