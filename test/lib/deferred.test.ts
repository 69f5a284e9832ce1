import t from 'tap'
import { deferred } from '../../src/lib/deferred.ts'

await t.test('settles its promise from outside, once', async (t) => {
  const resolved = deferred<number>()
  resolved.resolve(1)
  resolved.resolve(2)
  resolved.reject(new Error('too late'))
  t.equal(await resolved.promise, 1)
  const rejected = deferred()
  rejected.reject(new Error('no'))
  rejected.resolve()
  await t.rejects(rejected.promise, { message: 'no' })
})
