import { useRabbitMq } from '../support/rabbitmq.ts'
import { startNodes } from './fault-node.ts'
import { strikeInRounds } from './fault-rounds.ts'
import type { Fault } from './fault.ts'
import { OutsideSpeaker } from './outside-speaker.ts'
import { QueueConsumer, QueueLedger } from './queue-consumer.ts'
import { Traffic } from './traffic.ts'

const QUEUE = 'fault-work'

/**
 * The own sessions of clients that work through a queue are cut. What they had not acknowledged is given out
 * again; what they had, by a RECEIPT, never is.
 */
export const QUEUE_CONSUMERS: Fault = {
  name: 'queue-consumers',
  short: { messages: 900, blows: 6 },
  long: { messages: 40_000, blows: 40 },
  maxHoles: () => 0,
  async run(stage, { messages, blows }) {
    const rabbitMq = await useRabbitMq(stage)
    const nodes = await startNodes(stage, { rabbitMq })
    const work = { name: 'work', exchange: '', key: QUEUE }
    const service = await OutsideSpeaker.start(stage, rabbitMq.amqpUrl, work)
    const ledger = new QueueLedger()
    const { hearing } = ledger
    const consumers = await Promise.all(
      nodes.map((node) => QueueConsumer.start(stage, { node, queue: QUEUE, ledger })),
    )
    // Which consumer gets a message is RabbitMQ's choice, and so is their order then.
    const originOf = (message: string): string => message
    const report = await strikeInRounds({
      fault: `sessions of consumers cut, ${blows} times`,
      nodes,
      traffic: new Traffic([service], [{ hearing, speakers: [service], originOf }]),
      messages,
      rounds: blows,
      async strike(round) {
        const i = round % nodes.length
        await hearing.count(service.said.length - Math.floor(messages / blows / 2))
        const isBack = consumers[i]!.untilBack()
        nodes[i]!.stomp[0]!.cut()
        const atMs = performance.now()
        await Promise.all([nodes[i]!.untilDown(), isBack])
        return atMs
      },
    })
    const silent = consumers.reduce((sum, { silentCloses }) => sum + silentCloses, 0)
    if (silent > 0) throw new Error(`${silent} sessions were closed without ERROR`)
    return report
  },
}
