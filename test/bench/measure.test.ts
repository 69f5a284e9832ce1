import process from 'node:process'
import t from 'tap'
import { addCounts, LatencyHistogram, percentileUs } from '../../bench/measure/latency-histogram.ts'
import { parseProcStat, readProcTree } from '../../bench/measure/proc-usage.ts'
import { counterValue } from '../../bench/measure/prometheus-text.ts'
import { spread, summarize } from '../../bench/measure/rounds.ts'

const FIELDS_3_TO_24 = 'S 41 4242 4242 0 -1 4194560 1 2 3 4 150 25 6 7 20 0 11 0 99 800000 2560'

await t.test('reads times and memory whatever the name of the process holds', async (t) => {
  for (const name of ['node', 'a b', '(x) y)', ') S 1 2 (']) {
    t.same(parseProcStat(`4242 (${name}) ${FIELDS_3_TO_24} 18446744073709551615`), {
      pid: 4242,
      parentPid: 41,
      cpuUs: 1_750_000,
      rssBytes: 2560 * 4096,
    })
  }
})

await t.test('refuses what is not a line of /proc/PID/stat', async (t) => {
  for (const line of ['', 'nothing', '1 (x) S 2', `x (y) ${FIELDS_3_TO_24}`, `1 y ${FIELDS_3_TO_24}`]) {
    t.throws(() => parseProcStat(line), /not a line/)
  }
})

await t.test('finds the CPU time that this process itself has counted', async (t) => {
  const until = Date.now() + 100
  while (Date.now() < until);
  const { user, system } = process.cpuUsage()
  const { cpuUs, rssBytes } = await readProcTree(process.pid)
  t.ok(cpuUs >= user + system - 50_000, `${cpuUs} of /proc against ${user + system}`)
  t.ok(rssBytes > 10_000_000)
})

await t.test('refuses a process that is not there', async (t) => {
  await t.rejects(readProcTree(2 ** 30), { code: 'ENOENT' })
})

await t.test('gives median and spread of rounds', async (t) => {
  t.same(summarize([30, 10, 20]), { median: 20, min: 10, max: 30 })
  t.same(summarize([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 })
  t.equal(spread(summarize([30, 10, 20])), 0.5)
  t.equal(spread(summarize([0])), 0)
  t.throws(() => summarize([]), RangeError)
})

await t.test('gives percentiles within the width of a bucket, over several processes', async (t) => {
  const low = new LatencyHistogram()
  const high = new LatencyHistogram()
  for (let i = 0; i < 98; i++) low.record(1000)
  high.record(50_000)
  high.record(1e12)
  const all = addCounts(low.counts(), high.counts())
  t.ok(Math.abs(percentileUs(all, 0.5)! / 1000 - 1) < 0.045)
  t.ok(Math.abs(percentileUs(all, 0.99)! / 50_000 - 1) < 0.045)
  low.clear()
  t.equal(percentileUs(low.counts(), 0.5), undefined)
})

await t.test('sums a counter over its labels, and tells it from one with a longer name', async (t) => {
  const page = '# HELP sent x\nsent_total{kind="a"} 3\nsent_total{kind="b"} 4\nsent_total_more 100\nplain 5\n'
  t.equal(counterValue(page, 'sent_total'), 7)
  t.equal(counterValue(page, 'plain'), 5)
  t.equal(counterValue(page, 'sent'), undefined)
})
