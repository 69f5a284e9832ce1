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
  await t.rejects(first, { message: 'made last' }, 'the first failure is told')
  await t.rejects(second, { message: 'made last' })
  t.equal(runs, 1)
})

await t.test('has nothing to do where nothing was made', async (t) => {
  t.equal(await new Teardown().run(), undefined)
})
