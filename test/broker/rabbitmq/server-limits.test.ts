import t from 'tap'
import { limitsOf } from '../../../src/broker/rabbitmq/server-limits.ts'
import { readServer } from '../../../src/broker/rabbitmq/server-version.ts'

const CAPABILITIES = {
  publisher_confirms: true,
  'basic.nack': true,
  exchange_exchange_bindings: true,
  consumer_cancel_notify: true,
  'connection.blocked': true,
}

function events(properties: unknown): string[] {
  return limitsOf(readServer(properties)).map(({ event }) => event)
}

function rabbitMq(version: unknown): unknown {
  return { product: 'RabbitMQ', version, capabilities: CAPABILITIES }
}

function unknowns(properties: unknown): string[] {
  return limitsOf(readServer(properties)).flatMap(({ event, isUnknown }) => (isUnknown ? [event] : []))
}

const LACKS = 'broker-lacks-'
const LIMIT = 'broker-limit-'

await t.test('each version is said to be what it is', async (t) => {
  const streams = ['x-max-age', 'x-stream-max-segment-size-bytes', 'x-stream-filter-size-bytes']
  const of310 = [...streams, 'x-priority'].map((name) => `${LACKS}${name}`)
  const of313 = [`${LACKS}x-priority`, `${LIMIT}exchange-queues`, `${LIMIT}frame-bytes`]
  const since40 = ['mirrored-queues', 'message-bytes', 'redeliveries'].map((name) => `${LIMIT}${name}`)
  const of40 = [`${LIMIT}exchange-queues`, `${LIMIT}frame-bytes`, ...since40]
  for (const [version, expected] of [
    ['3.9.27', ['broker-version-old', ...of310]],
    ['3.10.8', of310],
    ['3.10.12', of310.slice(1)],
    ['3.11.8', [...of310.slice(1), `${LIMIT}exchange-queues`]],
    ['3.12.2', [...of310.slice(2), `${LIMIT}exchange-queues`, `${LIMIT}frame-bytes`]],
    ['3.13.7', of313],
    ['4.0.0', [`${LACKS}x-priority`, ...of40, `${LIMIT}transient-queues`]],
    ['4.0.9', [...of40, `${LIMIT}transient-queues`]],
    ['4.2.6', [...of40, `${LIMIT}transient-queues`, `${LIMIT}headers`]],
    ['4.3.0', [...of40, `${LIMIT}headers`, `${LIMIT}topic-queues`]],
    ['4.4.0', [...of40, `${LIMIT}headers`, `${LIMIT}topic-queues`, 'broker-version-new']],
  ] as const) {
    t.strictSame(events(rabbitMq(version)).toSorted(), expected.toSorted(), version)
  }
})

await t.test('only what nobody has looked at is a warning', async (t) => {
  t.strictSame(unknowns(rabbitMq('3.9.0')), ['broker-version-old'])
  t.strictSame(unknowns(rabbitMq('4.2.1')), [])
  t.strictSame(unknowns(rabbitMq('5.0')), ['broker-version-new'])
})

await t.test('versions are read as RabbitMQ writes them', async (t) => {
  for (const [text, numbers] of [
    ['3.13.7', [3, 13, 7]],
    ['4.3.0-rc.1', [4, 3, 0]],
    ['4.1.8+2.g1234567', [4, 1, 8]],
    [' 4.0 ', [4, 0, 0]],
  ] as const) {
    t.strictSame(readServer(rabbitMq(text)).numbers, numbers, text)
  }
})

await t.test('what cannot be read, and what is no RabbitMQ, is unknown and nothing worse', async (t) => {
  for (const version of ['', 'main', '4', 'v3.10.8', '99999.1.1', '1.99999', null, undefined, 3.1, {}]) {
    t.strictSame(events(rabbitMq(version)), ['broker-version-unknown'], JSON.stringify(version))
  }
  const lavin = { product: 'LavinMQ', version: '2.1.0', capabilities: CAPABILITIES }
  t.strictSame(events(lavin), ['broker-product-unknown'])
  for (const properties of [undefined, null, 'x', 7, [], {}, { product: 1, capabilities: 'all' }]) {
    t.match(events(properties), ['broker-product-unknown'])
    t.match(readServer(properties), { product: 'unknown', version: 'unknown', numbers: undefined })
  }
  t.equal(readServer(rabbitMq('x'.repeat(1_000_000))).version.length, 64)
})

await t.test('what the server does not say it can do, is said', async (t) => {
  for (const name of Object.keys(CAPABILITIES)) {
    const capabilities = { ...CAPABILITIES, [name]: false }
    const expected = `${LACKS}${name.replaceAll(/[._]/g, '-')}`
    t.ok(unknowns({ product: 'RabbitMQ', version: '3.13.0', capabilities }).includes(expected), expected)
  }
  t.equal(unknowns({ product: 'RabbitMQ', version: '3.13.0' }).length, Object.keys(CAPABILITIES).length)
})
