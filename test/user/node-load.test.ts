import t from 'tap'
import { NodeLoad } from '../../src/user/node-load.ts'

await t.test('counts frames since it was asked last, a second', async (t) => {
  const totals = { framesReceived: 10, framesSent: 100 }
  const load = new NodeLoad(totals)
  totals.framesReceived += 5
  totals.framesSent += 500
  const { framesIn, framesOut } = load.measure()
  t.ok(framesIn > 0)
  t.ok(Math.abs(framesOut / framesIn - 100) < 5, `${framesOut} for ${framesIn}`)
  t.match(load.measure(), { framesIn: 0, framesOut: 0 })
})

await t.test('tells work from rest', async (t) => {
  const load = new NodeLoad({ framesReceived: 0, framesSent: 0 })
  let sum = 0
  for (let i = 0; i < 20_000_000; i += 1) sum += i % 7
  t.ok(sum > 0)
  const { cpu, heapBytes } = load.measure()
  t.ok(cpu > 0)
  t.ok(heapBytes > 1_000_000)
})
