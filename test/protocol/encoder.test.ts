import t from 'tap'
import { encodeFrame, HEART_BEAT, SharedMessage } from '../../protocol/encoder.ts'
import { VERSIONS } from '../../protocol/version.ts'
import { encodeVectors } from './vectors.ts'

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}

await t.test('encoded.json', async (t) => {
  for (const vector of encodeVectors()) {
    const { command, headers, version, title } = vector
    const body = vector.body === undefined ? undefined : Buffer.from(vector.body)
    t.equal(text(encodeFrame(command, headers.flat(), body, version)), vector.bytes, title)
  }
})

await t.test('writes a heart-beat as one line feed', async (t) => {
  t.strictSame([...HEART_BEAT], [10])
})

await t.test('takes an odd last name for a header with an empty value', async (t) => {
  t.equal(text(encodeFrame('RECEIPT', ['a'], undefined, '1.2')), 'RECEIPT\na:\n\n\0')
})

await t.test('a shared message equals the frame encoded for one subscriber, for every version', async (t) => {
  const headers = ['destination', '/topic/a:b', 'note', 'a\\b\r\nc é', 'content-length', '7']
  const body = Buffer.from('{"a":"é\0"}')
  const shared = new SharedMessage(headers, body)
  for (const id of ['sub-0', 'a:b\n', 'sub-0', 'ü']) {
    for (const version of VERSIONS) {
      const alone = encodeFrame('MESSAGE', ['subscription', id, ...headers], body, version)
      t.equal(text(shared.encodeFor(id, version)), text(alone), `${id} ${version}`)
    }
  }
})

await t.test('writes headers of any size', async (t) => {
  const value = 'é'.repeat(50_000)
  t.equal(text(encodeFrame('RECEIPT', ['a', value], undefined, '1.2')), `RECEIPT\na:${value}\n\n\0`)
})

await t.test('a frame keeps its bytes when others are written after it', async (t) => {
  const receipt = encodeFrame('RECEIPT', ['receipt-id', '1'], undefined, '1.2')
  const shared = new SharedMessage(['a', 'b'], Buffer.from('x')).encodeFor('s', '1.2')
  encodeFrame('RECEIPT', ['receipt-id', 'zzzzzzzzzzzzzzzzzzzzzz'], undefined, '1.2')
  t.equal(text(receipt), 'RECEIPT\nreceipt-id:1\n\n\0')
  t.equal(text(shared), 'MESSAGE\nsubscription:s\na:b\ncontent-length:1\n\nx\0')
})

await t.test('a shared message has content-length for an empty body', async (t) => {
  t.equal(
    text(new SharedMessage([], new Uint8Array(0)).encodeFor('1', '1.2')),
    'MESSAGE\nsubscription:1\ncontent-length:0\n\n\0',
  )
})

await t.test('equal calls in a row get the same bytes, others get bytes of their own', async (t) => {
  const shared = new SharedMessage(['a', 'b'], Buffer.from('x'))
  const first = shared.encodeFor('1', '1.2')
  t.equal(shared.encodeFor('1', '1.2'), first)
  t.not(shared.encodeFor('1', '1.1'), first)
  t.not(shared.encodeFor('2', '1.1'), first)
  t.equal(text(first), 'MESSAGE\nsubscription:1\na:b\ncontent-length:1\n\nx\0')
})
