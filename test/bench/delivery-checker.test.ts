import t from 'tap'
import { addFaults, DeliveryChecker, isFaultless, NO_FAULTS } from '../../bench/load/delivery-checker.ts'

function feed(checker: DeliveryChecker, subscriber: number, sequences: readonly number[]): void {
  for (const sequence of sequences) checker.take(subscriber, 0, sequence)
}

await t.test('finds nothing where every subscriber got every message in order', async (t) => {
  const checker = new DeliveryChecker(2, 1)
  feed(checker, 0, [1, 2, 3])
  feed(checker, 1, [1, 2, 3])
  const faults = checker.finish([3])
  t.same(faults, NO_FAULTS)
  t.ok(isFaultless(faults))
})

await t.test('counts a message lost in the middle, at the end, and all of a silent subscriber', async (t) => {
  const checker = new DeliveryChecker(3, 1)
  feed(checker, 0, [1, 3, 4])
  feed(checker, 1, [1, 2])
  t.same(checker.finish([4]), { lost: 1 + 2 + 4, doubled: 0, reordered: 0, foreign: 0 })
})

await t.test('counts a message that came twice, at once or later', async (t) => {
  const checker = new DeliveryChecker(1, 1)
  feed(checker, 0, [1, 1, 2, 3, 2])
  const faults = checker.finish([3])
  t.same(faults, { lost: 0, doubled: 2, reordered: 0, foreign: 0 })
  t.notOk(isFaultless(faults))
})

await t.test(
  'counts a message that came late as reordered, not lost, and its repetition as doubled',
  async (t) => {
    const checker = new DeliveryChecker(1, 1)
    feed(checker, 0, [1, 3, 2, 2, 4])
    t.same(checker.finish([4]), { lost: 0, doubled: 1, reordered: 1, foreign: 0 })
  },
)

await t.test('keeps publishers and subscribers apart', async (t) => {
  const checker = new DeliveryChecker(2, 2)
  for (const subscriber of [0, 1]) {
    t.ok(checker.take(subscriber, 1, 1))
    t.ok(checker.take(subscriber, 0, 1))
    t.ok(checker.take(subscriber, 1, 2))
  }
  t.same(checker.finish([1, 2]), NO_FAULTS)
})

await t.test('counts what is not a message of the run as foreign', async (t) => {
  const checker = new DeliveryChecker(1, 1)
  t.notOk(checker.take(0, -1, 1))
  t.notOk(checker.take(0, 1, 1))
  t.notOk(checker.take(0, 0, -1))
  t.equal(checker.finish([0]).foreign, 3)
})

await t.test('still counts every loss where gaps are beyond the bound', async (t) => {
  const checker = new DeliveryChecker(1, 1)
  feed(checker, 0, [1, 300_001])
  t.equal(checker.finish([300_001]).lost, 299_999)
})

await t.test('adds the faults of several processes', async (t) => {
  const one = { lost: 1, doubled: 2, reordered: 3, foreign: 4 }
  t.same(addFaults(one, one), { lost: 2, doubled: 4, reordered: 6, foreign: 8 })
})
