import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { CommittedBatch, StreamAppender } from '../../src/stream/append.ts'
import { BatchPause } from '../../src/stream/batch-pause.ts'
import { say, startRig } from './rig.ts'

/** So long that nothing but what the test does can end a pause. */
const NEVER_MS = 3_600_000

const writes = (appender: StreamAppender, count: number) =>
  Promise.all(Array.from({ length: count }, (_, i) => appender.append(say('a', i))))

async function rig(test: Parameters<typeof startRig>[0], maxPauseMs: number) {
  const sizes: number[] = []
  const onBatch = (batch: CommittedBatch): void => void sizes.push(batch.writes)
  const { appender } = await startRig(test, { appender: { maxPauseMs, onBatch, maxBatch: 20 } })
  return { appender, sizes }
}

await t.test('a batch waits until it is as large as the last one', async (t) => {
  const { appender, sizes } = await rig(t, NEVER_MS)
  await writes(appender, 10)
  const some = writes(appender, 4)
  await turn()
  await turn()
  t.strictSame(sizes, [10])
  await Promise.all([some, writes(appender, 6)])
  t.strictSame(sizes, [10, 10])
})

await t.test('one that does not become as large waits no longer than the bound', async (t) => {
  const { appender, sizes } = await rig(t, 5)
  await writes(appender, 10)
  await writes(appender, 4)
  await writes(appender, 1)
  t.strictSame(sizes, [10, 4, 1])
})

await t.test('after a small batch nobody waits', async (t) => {
  const { appender, sizes } = await rig(t, NEVER_MS)
  await writes(appender, 7)
  await writes(appender, 1)
  t.strictSame(sizes, [7, 1])
})

await t.test('waits for no more than a batch may hold', async (t) => {
  const { appender, sizes } = await rig(t, NEVER_MS)
  await writes(appender, 40)
  t.strictSame(sizes, [20, 20])
})

await t.test('closing waits for nobody', async (t) => {
  const { appender, sizes } = await rig(t, NEVER_MS)
  await writes(appender, 10)
  const last = writes(appender, 1)
  await turn()
  await Promise.all([last, appender.close()])
  t.strictSame(sizes, [10, 1])
})

await t.test('there are no pauses after the end', async () => {
  const pause = new BatchPause(NEVER_MS)
  pause.began(10)
  pause.end()
  await pause.wait(1)
})
