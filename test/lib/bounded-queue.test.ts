import t from 'tap'
import { BoundedQueue } from '../../src/lib/bounded-queue.ts'

await t.test('gives items back in the order they came', async (t) => {
  const queue = new BoundedQueue<{ bytes: number; n: number }>(10_000, 100_000)
  let next = 0
  const taken: (number | undefined)[] = []
  for (let round = 0; round < 2_000; round += 1) {
    for (let i = 0; i < 3; i += 1) queue.push({ bytes: 1, n: next++ })
    for (let i = 0; i < 2; i += 1) taken.push(queue.shift()?.n)
  }
  t.equal(queue.size, 2_000)
  t.equal(queue.bytes, 2_000)
  while (queue.size > 0) taken.push(queue.shift()?.n)
  t.strictSame(
    taken,
    Array.from({ length: 6_000 }, (_, index) => index),
  )
  t.equal(queue.shift(), undefined)
  t.equal(queue.bytes, 0)
})

await t.test('refuses what is too many or too much, except when it is empty', async (t) => {
  const queue = new BoundedQueue<{ bytes: number }>(2, 100)
  t.ok(queue.push({ bytes: 500 }), 'a large item can pass at all')
  t.notOk(queue.push({ bytes: 1 }))
  queue.shift()
  t.ok(queue.push({ bytes: 60 }))
  t.notOk(queue.push({ bytes: 41 }))
  t.ok(queue.push({ bytes: 40 }))
  t.notOk(queue.push({ bytes: 0 }))
  t.same([queue.size, queue.bytes], [2, 100])
})
