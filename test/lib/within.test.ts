import t from 'tap'
import { deferred } from '../../src/lib/deferred.ts'
import { within } from '../../src/lib/within.ts'

const late = (): Error => new Error('too late')

await t.test('resolves and rejects as the promise does, and leaves no timer behind', async (t) => {
  const timersBefore = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  t.equal(await within(Promise.resolve(7), 60_000, late), 7)
  await t.rejects(within(Promise.reject(new Error('its own')), 60_000, late), { message: 'its own' })
  const timersAfter = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  t.equal(timersAfter, timersBefore)
})

await t.test('rejects with the error of the caller when it takes longer', async (t) => {
  await t.rejects(within(deferred().promise, 5, late), { message: 'too late' })
})

await t.test('is not disturbed by a rejection after the time is up', async (t) => {
  const { promise, reject } = deferred()
  await t.rejects(within(promise, 1, late), { message: 'too late' })
  reject(new Error('nobody waits'))
  await new Promise(setImmediate)
})
