import t from 'tap'
import { deferred } from '../../src/lib/deferred.ts'
import { Repetition } from '../../src/lib/repetition.ts'
import { until } from '../support/until.ts'

await t.test('runs again and again, never twice at once, whatever fails', async (t) => {
  let [runs, running, most] = [0, 0, 0]
  const errors: unknown[] = []
  const repetition = new Repetition({
    run: async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      runs += 1
      if (runs % 2 === 0) throw new Error(`run ${runs}`)
    },
    onError: (error) => errors.push(error),
    intervalMs: 1,
    jitter: 0.5,
  })
  t.teardown(() => repetition.close())
  repetition.start()
  repetition.start()
  await until(() => runs >= 6)
  await repetition.close()
  t.equal(most, 1)
  t.equal(errors.length, Math.floor(runs / 2))
})

await t.test('closes after the call under way, which is told, and whose end is no fault', async (t) => {
  const begun = deferred<AbortSignal>()
  const end = deferred()
  const repetition = new Repetition({
    run: async (signal) => {
      begun.resolve(signal)
      await end.promise
    },
    onError: () => t.fail('it was told to end'),
    intervalMs: 0,
  })
  repetition.start()
  const signal = await begun.promise
  t.notOk(signal.aborted)
  let isClosed = false
  const closed = repetition.close().then(() => (isClosed = true))
  t.ok(signal.aborted)
  await new Promise((resolve) => setImmediate(resolve))
  t.notOk(isClosed)
  end.reject(new Error('aborted'))
  await closed
  await repetition.close()
})

await t.test('closes at once between two calls, and before it was started', async (t) => {
  const idle = { run: () => Promise.resolve(), onError: () => undefined, intervalMs: 600_000 }
  const repetition = new Repetition(idle)
  repetition.start()
  await repetition.close()
  await new Repetition(idle).close()
  t.pass('closed')
})
