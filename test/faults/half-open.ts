import { useRabbitMq } from '../support/rabbitmq.ts'
import { startConversation } from './conversation.ts'
import { startNodes } from './fault-node.ts'
import { strikeInRounds } from './fault-rounds.ts'
import type { Fault } from './fault.ts'

/** Shorter than by default, so that a frozen link is found within seconds; senders wait for as long as it takes. */
const TIMEOUTS = { heartBeatMs: 1_000, connectMs: 1_000, publishMs: 120_000, answerMs: 120_000 }

/**
 * Links fall silent: nothing passes and nothing is closed, until heart-beats end them at both ends. New ones
 * are accepted and never answered. STOMP at one node and AMQP at the other at once, then the other way round.
 */
export const HALF_OPEN: Fault = {
  name: 'half-open',
  short: { messages: 600, blows: 2 },
  long: { messages: 20_000, blows: 20 },
  // One for each control link that is back; on a machine that stood still for seconds, live links end too.
  maxHoles: ({ blows }) => blows * 4,
  async run(stage, { messages, blows }) {
    const rabbitMq = await useRabbitMq(stage)
    const nodes = await startNodes(stage, { rabbitMq, timeouts: TIMEOUTS })
    const [west, east] = nodes
    const pairs = [
      [...west.stomp, ...east.amqp],
      [...west.amqp, ...east.stomp],
    ]
    return strikeInRounds({
      fault: `links silent until they time out, ${blows} times`,
      nodes,
      traffic: await startConversation(stage, { nodes, outsideUrl: rabbitMq.amqpUrl }),
      messages,
      rounds: blows,
      async strike(round) {
        const frozen = pairs[round % pairs.length]!
        for (const proxy of frozen) proxy.freeze()
        await Promise.all(nodes.map((node) => node.untilDown()))
        for (const proxy of frozen) proxy.thaw()
        return performance.now()
      },
    })
  },
}
