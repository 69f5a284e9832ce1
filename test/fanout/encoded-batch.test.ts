import t from 'tap'
import { EncodedBatch, type EncodedFrame } from '../../src/fanout/encoded-batch.ts'
import { FanoutMessage } from '../../src/fanout/fanout-message.ts'
import { delivery } from '../support/start-hub.ts'

const TRAITS = { subscriptionId: 's', version: '1.2', shownAs: undefined } as const

await t.test('renders once for each kind of transport', async (t) => {
  let calls = 0
  const joined = (frames: readonly EncodedFrame[]): Uint8Array => {
    calls += 1
    return Buffer.concat(frames.map(({ bytes }) => bytes))
  }
  const messages = ['a', 'b'].map((body) => new FanoutMessage(delivery('x', body), `id-${body}`))
  const batch = new EncodedBatch(messages, TRAITS)
  t.match(Buffer.from(batch.render(joined)).toString(), /\n\na\0MESSAGE[^]*\n\nb\0$/)
  t.equal(batch.render(joined), batch.render(joined), 'the same bytes for everybody')
  t.equal(calls, 1)
  t.same(
    batch.render(() => Uint8Array.of(1)),
    [1],
    'another transport, other bytes',
  )
})

await t.test('encodes nothing for those who take the messages', async (t) => {
  const message = new FanoutMessage(delivery('x', 'a'), 'id')
  t.same(new EncodedBatch([message], TRAITS).messages, [message])
  t.equal(new EncodedBatch([message], TRAITS).frames[0]?.bytes, message.encodeFor('s', '1.2').bytes)
})
