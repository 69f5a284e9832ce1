import t from 'tap'
import { Completion } from '../../bench/load/completion.ts'

await t.test('grows when the last subscriber has got a message', async (t) => {
  const completion = new Completion(3)
  t.notOk(completion.take(1))
  t.notOk(completion.take(1))
  t.ok(completion.take(1))
  t.equal(completion.completed, 1)
})

await t.test('grows over several messages at once when a straggler catches up', async (t) => {
  const completion = new Completion(2)
  for (const sequence of [1, 2, 3]) t.notOk(completion.take(sequence))
  t.ok(completion.take(1))
  t.ok(completion.take(2))
  t.ok(completion.take(3))
  t.equal(completion.completed, 3)
})

await t.test('stands still at a message that one subscriber did not get', async (t) => {
  const completion = new Completion(2, 16)
  completion.take(1)
  for (let sequence = 2; sequence < 100; sequence++) {
    completion.take(sequence)
    completion.take(sequence)
  }
  t.equal(completion.completed, 0)
})

await t.test('goes on beyond its span', async (t) => {
  const completion = new Completion(1, 8)
  for (let sequence = 1; sequence <= 100; sequence++) t.ok(completion.take(sequence))
  t.equal(completion.completed, 100)
})
