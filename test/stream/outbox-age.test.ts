import t from 'tap'
import { OutboxAge } from '../../src/stream/outbox-age.ts'
import { openTestStore, say, startRig } from './rig.ts'

const START = Date.parse('2030-01-31T09:30:00Z')

await t.test('says how long the oldest event has waited, and asks once in a while', async (t) => {
  const { store, appender, line, outbox, watched } = await startRig(t, {
    appender: { now: () => new Date(START) },
  })
  let questions = 0
  const counting = {
    outbox: {
      ageMs: (nowMs: number) => {
        questions += 1
        return store.outbox.ageMs(nowMs)
      },
    },
  }
  const now = () => new Date(START + 1500)
  const patient = new OutboxAge({ store: counting, now, maxAgeMs: 600_000, timeoutMs: 60_000 })
  const eager = new OutboxAge({ store, now, maxAgeMs: 0, timeoutMs: 60_000 })
  t.equal(await eager.ms(), 0)
  await appender.append(say('a', 1))
  t.strictSame(await Promise.all([patient.ms(), patient.ms(), patient.ms()]), [1500, 1500, 1500])
  t.equal(await patient.ms(), 1500)
  t.equal(questions, 1)
  await outbox.start()
  await line.until(1)
  await watched.untilEmpty()
  t.equal(await eager.ms(), 0)
  t.equal(await patient.ms(), 1500, 'it was asked a moment ago')
})

await t.test('does not know while the database does not answer, and knows again', async (t) => {
  const { store, hand } = await openTestStore(t)
  const age = new OutboxAge({ store, timeoutMs: 60_000 })
  hand.exec('alter table outbox rename to elsewhere')
  t.ok(Number.isNaN(await age.ms()))
  hand.exec('alter table elsewhere rename to outbox')
  t.equal(await age.ms(), 0)
  const silent = new OutboxAge({ store: { outbox: { ageMs: () => new Promise(() => {}) } }, timeoutMs: 1 })
  t.ok(Number.isNaN(await silent.ms()))
})
