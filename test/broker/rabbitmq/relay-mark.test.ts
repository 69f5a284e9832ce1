import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { RelayMark } from '../../../src/broker/rabbitmq/relay-mark.ts'
import { parseBrokerUrl } from '../../../src/config/broker-url.ts'

await t.test('is HMAC-SHA-256 of all claims, whatever is in them', (t) => {
  const mark = new RelayMark(parseBrokerUrl('amqp://guest:secret@127.0.0.1', 'amqp', 5672))
  const key = createHmac('sha256', 'secret').update('stomp-relay mark 1 guest').digest()
  const expected = (claims: readonly string[]): string => {
    const text = claims.map((claim) => `${claim.length}:${claim}`).join('')
    return createHmac('sha256', key).update(text).digest('base64url').slice(0, 22)
  }
  const claim = fc.string({ unit: 'binary' })
  const long = claim.map((text) => text.repeat(200))
  fc.assert(
    fc.property(fc.array(fc.oneof(claim, long)), (claims) => {
      t.equal(mark.of(...claims), expected(claims))
    }),
  )
  t.end()
})

await t.test('differs where the account or its password does', (t) => {
  const urls = ['amqp://guest:secret@a', 'amqp://guest:secrets@a', 'amqp://guests:secret@a']
  const marks = urls.map((url) => new RelayMark(parseBrokerUrl(url, 'amqp', 5672)).of('topic', 'a'))
  t.equal(new Set(marks).size, urls.length)
  t.end()
})
