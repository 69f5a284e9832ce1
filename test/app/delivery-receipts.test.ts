import t, { type Test } from 'tap'
import { DeliveryReceipts, type DeliveryReceiptsOptions } from '../../src/app/chat/delivery-receipts.ts'
import { sendMessage } from '../../src/app/chat/send-message.ts'
import { MessageError } from '../../src/errors.ts'
import { until } from '../support/until.ts'
import { startRig, Warnings } from '../stream/rig.ts'

const QUEUE = '/user/bob/queue/messages'

async function start(t: Test, options: Partial<DeliveryReceiptsOptions> = {}) {
  const { store, appender } = await startRig(t)
  const log = new Warnings()
  const receipts = new DeliveryReceipts({ appender, log, gatherMs: 1, retryMs: 1, ...options })
  t.teardown(() => receipts.close())
  /** What is stored for bob, as a session of his is handed it. */
  const handed = async () => {
    const events = await store.log.read(QUEUE, 0, 1000)
    return events.map(({ body, offset }) => ({
      delivery: { body: Buffer.from(body), eventId: `e:${offset}` },
    }))
  }
  const told = async (): Promise<string[]> => {
    const events = await store.log.read('/user/alice/queue/receipts', 0, 5000)
    return events.map(({ body }) => (JSON.parse(body) as { status: string }).status)
  }
  const delivered = async (count: number): Promise<void> =>
    until(async () => (await told()).filter((status) => status === 'DELIVERED').length === count)
  return { store, appender, receipts, handed, told, delivered, log }
}

await t.test('tells of many deliveries with few writes, and of each once', async (t) => {
  const { appender, receipts, handed, delivered, told } = await start(t)
  const send = (): Promise<unknown> => sendMessage(appender, 'alice', { content: 'x', receiver: 'bob' })
  await Promise.all(Array.from({ length: 600 }, send))
  const messages = await handed()
  receipts.handed('bob', messages)
  receipts.handed('bob', messages)
  receipts.handed('bob', await handed())
  t.equal(receipts.waiting, 600)
  await delivered(600)
  await until(() => receipts.waiting === 0)
  receipts.handed('bob', await handed())
  await until(() => receipts.waiting === 0)
  t.equal((await told()).length, 1200)
  t.match(receipts.counters, { told: 600, dropped: 0, failed: 0 })
})

await t.test('passes over what is not for the user, or was not stored', async (t) => {
  const { appender, receipts, handed } = await start(t)
  await sendMessage(appender, 'alice', { content: 'x', receiver: 'bob' })
  const [stored] = await handed()
  const body = (text: string) => ({ delivery: { body: Buffer.from(text), eventId: 'e:1' } })
  receipts.handed('alice', await handed())
  receipts.handed('bob', [
    { delivery: { body: stored?.delivery.body ?? Buffer.alloc(0) } },
    ...['null', '7', '{"id":"x"}', '{"receiver":"bob"}', '{"id":7,"receiver":"bob"}'].map(body),
  ])
  t.equal(receipts.waiting, 0)
})

await t.test('keeps so many that wait, and counts those beyond', async (t) => {
  const { appender, receipts, handed, delivered } = await start(t, { maxWaiting: 2 })
  for (let n = 0; n < 3; n++) await sendMessage(appender, 'alice', { content: 'x', receiver: 'bob' })
  receipts.handed('bob', await handed())
  t.match(receipts.counters, { noted: 2, dropped: 1 })
  await delivered(2)
})

await t.test('tries again what could not be stored, and stores what waits as it ends', async (t) => {
  const rig = await startRig(t)
  let failures = 2
  const append: typeof rig.appender.append = (...call) =>
    failures-- > 0
      ? Promise.reject(new MessageError('store-unavailable', 'away'))
      : rig.appender.append(...call)
  const log = new Warnings()
  const receipts = new DeliveryReceipts({ appender: { append }, log, retryMs: 1 })
  await sendMessage(rig.appender, 'alice', { content: 'x', receiver: 'bob' })
  const [event] = await rig.store.log.read(QUEUE, 0, 1)
  receipts.handed('bob', [{ delivery: { body: Buffer.from(event?.body ?? ''), eventId: 'e:1' } }])
  await until(() => failures < 0)
  await receipts.close()
  await receipts.close()
  t.match(receipts.counters, { told: 1, failed: 2 })
  t.strictSame(log.events, ['receipts-untold', 'receipts-untold'])
})

await t.test('gives up at its end what cannot be stored', async (t) => {
  const append = () => Promise.reject(new MessageError('store-unavailable', 'away'))
  const receipts = new DeliveryReceipts({ appender: { append }, log: new Warnings(), gatherMs: 60_000 })
  const body = Buffer.from('{"id":"m","receiver":"bob"}')
  receipts.handed('bob', [{ delivery: { body, eventId: 'e:1' } }])
  await receipts.close()
  t.equal(receipts.waiting, 1)
})
