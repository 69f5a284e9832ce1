import * as fc from 'fast-check'
import t from 'tap'
import type { OrderSend } from '../../protocol/payload/order.ts'
import { changedOrder, STATUS_TEXT } from '../../src/app/orders/order-change.ts'
import type { OrderRow } from '../../src/store/orders.ts'

const NOW = '2030-01-01T00:00:00.000Z'
const STATUSES = ['PLACED', 'PREPARED', 'READY', 'SHIPPED', 'DELIVERED', 'CANCELLED'] as const

function update(fields: Partial<OrderSend> = {}): OrderSend {
  return { orderId: 'o', userId: 'bob', status: 'PLACED', ...fields }
}

/** What is stored after these, and how many of them changed anything. */
function after(updates: readonly OrderSend[]): { row: OrderRow | null; applied: OrderSend[] } {
  let row: OrderRow | null = null
  const applied: OrderSend[] = []
  for (const each of updates) {
    const changed = changedOrder(row, each, NOW)
    if (changed === undefined) continue
    row = changed
    applied.push(each)
  }
  return { row, applied }
}

await t.test('stores the first state as it is', async (t) => {
  t.same(
    changedOrder(
      null,
      update({ items: [1], note: 'n', version: 7, updatedAt: '2029-05-05T10:00:00+02:00' }),
      NOW,
    ),
    {
      orderId: 'o',
      userId: 'bob',
      status: 'PLACED',
      items: [1],
      note: 'n',
      version: 7,
      updatedAt: '2029-05-05T08:00:00.000Z',
      createdAt: NOW,
      changedBy: null,
    },
  )
  t.same(changedOrder(null, update(), NOW), {
    orderId: 'o',
    userId: 'bob',
    status: 'PLACED',
    items: null,
    note: null,
    version: null,
    updatedAt: NOW,
    createdAt: NOW,
    changedBy: null,
  })
})

await t.test('keeps items and birth, and drops a note that is not said again', async (t) => {
  const { row } = after([update({ items: ['tea'], note: 'soon' }), update({ status: 'READY' })])
  t.match(row, { status: 'READY', items: ['tea'], note: null, version: null, createdAt: NOW })
})

await t.test(
  'ends at the newest version, whatever the order of delivery, each applied once at most',
  async (t) => {
    const deliveries = fc
      .integer({ min: 1, max: 12 })
      .chain((n) =>
        fc.record({
          n: fc.constant(n),
          order: fc.shuffledSubarray(
            Array.from({ length: n }, (_, i) => i + 1),
            { minLength: n },
          ),
          repeats: fc.array(fc.integer({ min: 1, max: n }), { maxLength: 20 }),
          seed: fc.nat(),
        }),
      )
      .map(({ n, order, repeats, seed }) => {
        const versions = [...order]
        for (const [i, version] of repeats.entries())
          versions.splice((seed + i * 7) % versions.length, 0, version)
        return { n, versions }
      })
    fc.assert(
      fc.property(deliveries, ({ n, versions }) => {
        const { row, applied } = after(
          versions.map((version) => update({ version, status: STATUSES[version % 6]!, note: `v${version}` })),
        )
        const numbers = applied.map(({ version }) => version ?? 0)
        const isNewest = row?.version === n && row.note === `v${n}` && row.status === STATUSES[n % 6]
        return isNewest && numbers.every((version, i) => i === 0 || version > numbers[i - 1]!)
      }),
      { numRuns: 500 },
    )
    t.pass('no counterexample')
  },
)

await t.test('applies every version where they come in order, repetitions aside', async (t) => {
  const versions = [1, 1, 2, 3, 3, 3, 4, 2, 4]
  const { applied } = after(versions.map((version) => update({ version })))
  t.same(
    applied.map(({ version }) => version),
    [1, 2, 3, 4],
  )
})

await t.test('goes by time where there is no version', async (t) => {
  const at = (second: number): string => `2029-01-01T00:00:0${second}.000Z`
  const { row, applied } = after([
    update({ updatedAt: at(2), status: 'READY' }),
    update({ updatedAt: at(1), status: 'PLACED' }),
    update({ updatedAt: at(2), status: 'READY' }),
    update({ updatedAt: at(3), status: 'SHIPPED' }),
    update({ updatedAt: '2029-01-01T02:00:03.000+02:00', status: 'CANCELLED' }),
  ])
  t.match(row, { status: 'SHIPPED', updatedAt: at(3) })
  t.equal(applied.length, 2)
})

await t.test('takes anything new that has neither, and no repetition', async (t) => {
  const { applied } = after([
    update(),
    update(),
    update({ status: 'READY' }),
    update({ status: 'READY', note: 'x' }),
    update({ status: 'READY', note: 'x', items: [1] }),
    update({ status: 'READY', note: 'x', items: [1] }),
    update({ status: 'READY', note: 'x' }),
    update({ status: 'READY', note: 'x', items: [{ a: 1 }] }),
    update({ status: 'READY', note: 'x', userId: 'carol' }),
    update({ status: 'PLACED' }),
  ])
  t.equal(applied.length, 7)
})

await t.test('has a sentence for every status', async (t) => {
  t.same(Object.keys(STATUS_TEXT), STATUSES)
})

await t.test('takes the first version a service sends, whatever came without one before', async (t) => {
  const { row, applied } = after([update(), update({ status: 'READY', version: 1 }), update({ version: 1 })])
  t.match(row, { status: 'READY', version: 1 })
  t.equal(applied.length, 2)
})

await t.test('undoes no change of an administrator by what the service made before it', async (t) => {
  const at = (minute: number): string => `2029-01-01T00:0${minute}:00.000Z`
  const stored = changedOrder(null, update({ version: 3, updatedAt: at(1) }), NOW)!
  const cancelled = { ...stored, status: 'CANCELLED', updatedAt: at(5), changedBy: 'root' }
  for (const late of [
    update({ version: 3, updatedAt: at(1) }),
    update({ version: 2, updatedAt: at(9) }),
    update({ version: 4, updatedAt: at(4), status: 'READY' }),
    update({ version: 4, updatedAt: at(5), status: 'READY' }),
    update({ updatedAt: at(4), status: 'READY' }),
    update({ version: 3 }),
  ]) {
    t.equal(changedOrder(cancelled, late, NOW), undefined, JSON.stringify(late))
  }
  for (const newer of [
    update({ version: 4, updatedAt: at(6), status: 'READY' }),
    update({ version: 4, status: 'READY' }),
    update({ updatedAt: at(6), status: 'READY' }),
    update({ status: 'READY' }),
  ]) {
    t.match(changedOrder(cancelled, newer, NOW), { status: 'READY', changedBy: null }, JSON.stringify(newer))
  }
  t.match(changedOrder({ ...cancelled, version: null }, update({ version: 1 }), NOW), { version: 1 })
})

await t.test('keeps the time of a service whose clock is ahead, where an update has none', async (t) => {
  const { row, applied } = after([
    update({ updatedAt: '2030-01-01T00:05:00.000Z' }),
    update({ status: 'READY' }),
    update({ updatedAt: '2030-01-01T00:05:00.000Z' }),
  ])
  t.match(row, { status: 'READY', updatedAt: '2030-01-01T00:05:00.000Z' })
  t.equal(applied.length, 2)
})
