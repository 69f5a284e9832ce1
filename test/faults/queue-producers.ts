import { useRabbitMq } from '../support/rabbitmq.ts'
import { startNodes } from './fault-node.ts'
import { strikeInRounds } from './fault-rounds.ts'
import type { Fault } from './fault.ts'
import { QueueDrain } from './queue-drain.ts'
import { QueueProducer } from './queue-producer.ts'
import { Traffic } from './traffic.ts'

const QUEUE = 'fault-jobs'

/** The own sessions of clients that SEND to a queue with receipts are cut. What was receipted is in the queue. */
export const QUEUE_PRODUCERS: Fault = {
  name: 'queue-producers',
  short: { messages: 900, blows: 6 },
  long: { messages: 40_000, blows: 40 },
  maxHoles: () => 0,
  async run(stage, { messages, blows }) {
    const rabbitMq = await useRabbitMq(stage)
    const nodes = await startNodes(stage, { rabbitMq })
    const producers = await Promise.all(
      nodes.map((node) => QueueProducer.start(stage, { name: `producer-${node.name}`, node, queue: QUEUE })),
    )
    const drain = new QueueDrain({ amqpUrl: rabbitMq.amqpUrl, queue: QUEUE, producers })
    await drain.begin(stage)
    return strikeInRounds({
      fault: `sessions of producers cut, ${blows} times`,
      nodes,
      traffic: new Traffic(producers, [drain]),
      messages,
      rounds: blows,
      async strike(round) {
        const node = nodes[round % nodes.length]!
        node.stomp[0]!.cut()
        const atMs = performance.now()
        await node.untilDown()
        return atMs
      },
    })
  },
}
