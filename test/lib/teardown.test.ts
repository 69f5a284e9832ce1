import t from 'tap'
import { Teardown } from '../../src/lib/teardown.ts'

await t.test('runs the steps in the reverse order of their making, one after the other', async (t) => {
  const teardown = new Teardown()
  const order: string[] = []
  teardown.add(async () => void order.push('first made'))
  teardown.add(async () => {
    order.push('begun')
    await new Promise(setImmediate)
    order.push('done')
  })
  await teardown.run()
  t.same(order, ['begun', 'done', 'first made'])
})

await t.test('runs every step once, also when one fails and it is asked twice', async (t) => {
  const teardown = new Teardown()
  let runs = 0
  teardown.add(async () => void runs++)
  teardown.add(() => Promise.reject(new Error('made second')))
  teardown.add(() => Promise.reject(new Error('made last')))
  const first = teardown.run()
  const second = teardown.run()
  const all = { message: 'made last', errors: [{ message: 'made last' }, { message: 'made second' }] }
  await t.rejects(first, all, 'all failures are told, the first one first')
  await t.rejects(second, all)
  t.equal(runs, 1)
})

await t.test('rejects with the failure itself where there is one', async (t) => {
  const teardown = new Teardown()
  const failure = new RangeError('no')
  teardown.add(() => Promise.reject(failure))
  t.equal(await teardown.run().catch((error: unknown) => error), failure)
})

await t.test('keeps the error it was run for, and tells of its own beside it', async (t) => {
  const teardown = new Teardown()
  const [cause, failure] = [new Error('cannot start'), new Error('cannot close')]
  teardown.add(() => Promise.reject(failure))
  const told: unknown[] = []
  const outcome = await teardown.runAfter(cause, (error) => told.push(error)).catch((error: unknown) => error)
  t.equal(outcome, cause)
  t.strictSame(told, [failure])
  const quiet = new Teardown().runAfter(cause, () => t.fail('nothing went wrong'))
  await t.rejects(quiet, { message: 'cannot start' })
})

await t.test('has nothing to do where nothing was made', async (t) => {
  t.equal(await new Teardown().run(), undefined)
})
