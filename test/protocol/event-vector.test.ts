import fc from 'fast-check'
import t from 'tap'
import { streamEpoch } from '../../protocol/event-id.ts'
import { formatEventVector, readEventVector } from '../../protocol/event-vector.ts'

const STREAMS = ['/user/alice/queue/orders', '/topic/broadcasts', '/user/alice/queue/notifications']

const idOf = (stream: string, offset: number, store = 'store-1'): string =>
  `${streamEpoch(store, stream)}:${offset}`

await t.test('what was written is found again, in whatever order', async (t) => {
  const offsets = fc.array(fc.nat(), { minLength: 3, maxLength: 3 })
  fc.assert(
    fc.property(offsets, fc.shuffledSubarray([0, 1, 2]), (given, named) => {
      const positions = named.map((i) => ({
        epoch: streamEpoch('store-1', STREAMS[i]!),
        offset: given[i]!,
      }))
      if (positions.length === 0) return
      const reading = readEventVector(formatEventVector(positions), STREAMS)
      const expected = STREAMS.map((stream, i) => (named.includes(i) ? idOf(stream, given[i]!) : undefined))
      t.same(reading, { eventIds: expected, namesOthers: false })
    }),
    { numRuns: 200 },
  )
})

await t.test('tells what names other streams, and lets streams judge ids of another epoch', async (t) => {
  const other = idOf('/user/bob/queue/orders', 3)
  t.same(readEventVector(other, STREAMS), {
    eventIds: [undefined, undefined, undefined],
    namesOthers: true,
  })
  t.same(readEventVector(`${idOf(STREAMS[1]!, 0)},${other}`, STREAMS), {
    eventIds: [undefined, idOf(STREAMS[1]!, 0), undefined],
    namesOthers: true,
  })
  const old = idOf(STREAMS[0]!, 7, 'before')
  t.same(readEventVector(old, STREAMS)?.eventIds, [old, undefined, undefined])
  const twice = `${idOf(STREAMS[0]!, 1)},${idOf(STREAMS[0]!, 2)}`
  t.same(readEventVector(twice, STREAMS), {
    eventIds: [idOf(STREAMS[0]!, 1), undefined, undefined],
    namesOthers: true,
  })
})

await t.test('two streams whose hashes are the same keep their places', async (t) => {
  const streams = ['/topic/a', '/topic/a']
  const [first, second] = [idOf('/topic/a', 1), idOf('/topic/a', 2)]
  t.same(readEventVector(`${first},${second}`, streams)?.eventIds, [first, second])
})

await t.test('finds nothing in what is no vector, and never throws', async (t) => {
  const id = idOf(STREAMS[0]!, 1)
  for (const text of [
    '',
    ',',
    `${id},`,
    `,${id}`,
    `${id}, ${id}`,
    `${id};${id}`,
    'a:01',
    'a:-1',
    'a:1.5',
    'a',
    ':1',
    'a:99999999999999999',
    'ä:1',
    Array.from({ length: 17 }, () => 'a:1').join(),
    `${'a'.repeat(64)}:1,`.repeat(40),
  ]) {
    t.equal(readEventVector(text, STREAMS), undefined, text.slice(0, 40))
  }
  t.ok(readEventVector(Array.from({ length: 16 }, () => 'a:1').join(), STREAMS))
  fc.assert(
    fc.property(fc.string(), (text) => {
      readEventVector(text, STREAMS)
    }),
  )
})
