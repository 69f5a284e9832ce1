import { useOwnRabbitMq } from '../support/rabbitmq.ts'
import { isTransient, startConversation } from './conversation.ts'
import { holesOf, startNodes } from './fault-node.ts'
import type { Fault } from './fault.ts'
import { QueueDrain } from './queue-drain.ts'
import { QueueProducer } from './queue-producer.ts'

const QUEUE = 'fault-survivors'
/** Long enough for RabbitMQ to start on a busy machine: who has a receipt to come waits for it. */
const TIMEOUTS = { publishMs: 240_000, answerMs: 240_000 }

/**
 * RabbitMQ is killed and starts again, with what it had on disk. Nothing that was stored and no persistent
 * SEND that had its RECEIPT is missing. Transient messages that were under way are, and the nodes say so by
 * a hole: those are not owed.
 */
export const BROKER_KILLED: Fault = {
  name: 'broker-killed',
  short: { messages: 800, blows: 1 },
  long: { messages: 40_000, blows: 10 },
  // At each node, and each time: its bindings are made anew, and its inbox has lost its place.
  maxHoles: ({ blows }) => blows * 4,
  async run(stage, { messages, blows }) {
    const rabbitMq = await useOwnRabbitMq(stage)
    const nodes = await startNodes(stage, { rabbitMq, timeouts: TIMEOUTS })
    const conversation = await startConversation(stage, { nodes, outsideUrl: undefined })
    const producer = await QueueProducer.start(stage, { name: 'producer', node: nodes[0], queue: QUEUE })
    const drain = new QueueDrain({ amqpUrl: rabbitMq.amqpUrl, queue: QUEUE, producers: [producer] })
    const traffic = conversation.with([producer], [drain])
    const underHoles = new Set<string>()
    const isOwed = (message: string): boolean => !underHoles.has(message)
    const share = messages / blows / 2
    let backMs = 0
    for (let blow = 0; blow < blows; blow += 1) {
      await traffic.say(share).all
      await conversation.arrived(isOwed)
      const saying = traffic.say(share)
      for (const message of saying.messages) if (isTransient(message)) underHoles.add(message)
      await saying.half
      await rabbitMq.node.sync()
      await rabbitMq.node.kill()
      await Promise.all(nodes.map((node) => node.untilDown()))
      await rabbitMq.node.start()
      backMs = performance.now()
      await saying.all
      await Promise.all(nodes.map((node) => node.untilUp()))
    }
    await drain.begin(stage)
    await traffic.arrived(isOwed)
    const recoveryMs = performance.now() - backMs
    return {
      fault: `RabbitMQ killed and started, ${blows} times; ${underHoles.size} transient ones not owed`,
      published: traffic.published,
      receptions: await traffic.receptions(isOwed),
      recoveryMs,
      holes: holesOf(nodes),
    }
  },
}
