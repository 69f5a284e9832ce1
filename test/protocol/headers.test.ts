import t from 'tap'
import { publishableHeaders, RESERVED_SEND_HEADERS } from '../../protocol/headers.ts'

await t.test('keeps what is the sender’s own, in order and repeated', async (t) => {
  const headers = [
    'content-type',
    'text/plain',
    'simple',
    '1',
    'x-mine',
    'a',
    'x-mine',
    'b',
    'reply-to',
    '/temp-queue/r',
  ]
  t.strictSame(publishableHeaders(headers), headers)
})

await t.test('strips every reserved header, in any case of letters', async (t) => {
  for (const name of RESERVED_SEND_HEADERS) {
    t.strictSame(publishableHeaders(['a', '1', name, 'x', 'b', '2']), ['a', '1', 'b', '2'], name)
    t.strictSame(publishableHeaders([name.toUpperCase(), 'x', 'a', '1']), ['a', '1'], name.toUpperCase())
  }
})

await t.test('strips headers of the relay and of Spring by their prefix', async (t) => {
  const names = [
    'x-relay-origin',
    'X-Relay-Anything',
    'simpDestination',
    'simpOrigDestination',
    'simpUser',
    'nativeHeaders',
  ]
  t.strictSame(publishableHeaders(names.flatMap((name) => [name, 'forged'])), [])
})

await t.test('does not take a value for a name', async (t) => {
  t.strictSame(publishableHeaders(['a', 'receipt', 'receipt', 'a', 'b', 'x-relay-x']), [
    'a',
    'receipt',
    'b',
    'x-relay-x',
  ])
})
