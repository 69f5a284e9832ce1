import t from 'tap'
import { useRabbitMq } from '../../support/rabbitmq.ts'
import { bytes, untilUp, useBroker } from './setup.ts'

const rabbit = await useRabbitMq(t)

await t.test(
  'what is published arrives at another node with its headers, properties and event id',
  async (t) => {
    const { broker: sender } = await useBroker(t, rabbit)
    const { broker, received } = await useBroker(t, rabbit)
    await untilUp(sender)
    await broker.watch({ kind: 'topic', pattern: 'a.*' })
    await sender.publish({
      address: { kind: 'topic', topic: 'a.ä/b' },
      headers: [
        'content-type',
        'text/plain',
        'x-own',
        'line\nfeed:colon',
        'priority',
        '3',
        'x-own',
        'second',
      ],
      body: bytes('hello'),
      persistent: true,
      eventId: 'e:1',
    })
    await received.count(1)
    const [delivery] = received.deliveries
    t.same(delivery?.address, { kind: 'topic', topic: 'a.ä/b' })
    t.equal(delivery?.eventId, 'e:1')
    t.same(
      new Map(pairs(delivery?.headers ?? [])),
      new Map([
        ['x-own', 'line\nfeed:colon'],
        ['priority', '3'],
        ['content-type', 'text/plain'],
      ]),
    )
    t.same(received.bodies, ['hello'])
  },
)

function pairs(headers: readonly string[]): [string, string][] {
  return headers.flatMap((name, i): [string, string][] => (i % 2 === 0 ? [[name, headers[i + 1] ?? '']] : []))
}
