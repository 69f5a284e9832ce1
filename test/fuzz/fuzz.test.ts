import t from 'tap'
import { fuzz } from './fuzz-run.ts'

t.setTimeout(600_000)

await t.test('a node bears whatever clients send, and others notice nothing', async (t) => {
  const report = await fuzz(t, { seed: 20_261_122, batches: 50, say: (line) => t.comment(line) })
  t.comment(JSON.stringify(report.heap))
  t.same(report.faults, [])
  t.ok(report.connections > 1000)
})
