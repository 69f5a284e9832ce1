import t from 'tap'
import { toOutgoing } from '../../../src/broker/rabbitmq/relay-headers.ts'
import { RelayMark } from '../../../src/broker/rabbitmq/relay-mark.ts'
import { parseBrokerUrl } from '../../../src/config/broker-url.ts'

await t.test('keeps no more of a message than its body until the broker confirms it', async (t) => {
  const mark = new RelayMark(parseBrokerUrl('amqp://guest:guest@127.0.0.1', 'amqp', 5672))
  const sender = { account: 'guest', boot: 'b', mark }
  const message = {
    address: { kind: 'topic', topic: 'a' } as const,
    headers: [],
    body: Buffer.alloc(262_144, 'x').subarray(10, 12),
    persistent: false,
  }
  const { content } = toOutgoing(message, sender, () => 1)
  t.equal(content.toString(), 'xx')
  t.equal(content.buffer.byteLength, 2)
})
