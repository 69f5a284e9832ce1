import t from 'tap'
import { FairQueue } from '../../src/lib/fair-queue.ts'

function taken(queue: FairQueue<string>): string[] {
  const out: string[] = []
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) out.push(item)
  return out
}

await t.test('serves keys in turn, and each in its order', async (t) => {
  const queue = new FairQueue<string>()
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) queue.push(item.slice(0, 1), item)
  t.equal(queue.size, 6)
  t.equal(queue.of('a'), 3)
  t.same(taken(queue), ['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
  t.equal(queue.size, 0)
  t.equal(queue.of('a'), 0)
  queue.push('a', 'a4')
  t.equal(queue.shift(), 'a4', 'and goes on afterwards')
})

await t.test('takes out what is over, whatever line it stands in', async (t) => {
  const queue = new FairQueue<string>()
  for (const item of ['a1', 'a2', 'b1', 'c1']) queue.push(item.slice(0, 1), item)
  t.same(
    queue.remove((item) => item === 'a1' || item === 'b1'),
    ['a1', 'b1'],
  )
  t.equal(queue.size, 2)
  t.equal(queue.of('b'), 0)
  t.same(taken(queue), ['a2', 'c1'])
})
