import t from 'tap'
import { EncodedBatch, type EncodedFrame } from '../../src/fanout/encoded-batch.ts'

await t.test('renders once for each kind of transport', async (t) => {
  let calls = 0
  const joined = (frames: readonly EncodedFrame[]): Uint8Array => {
    calls += 1
    return Buffer.concat(frames.map(({ bytes }) => bytes))
  }
  const batch = new EncodedBatch([
    { bytes: Buffer.from('a'), isText: true },
    { bytes: Buffer.from('b'), isText: true },
  ])
  t.equal(Buffer.from(batch.render(joined)).toString(), 'ab')
  t.equal(batch.render(joined), batch.render(joined), 'the same bytes for everybody')
  t.equal(calls, 1)
  t.same(
    batch.render(() => Uint8Array.of(1)),
    [1],
    'another transport, other bytes',
  )
})
