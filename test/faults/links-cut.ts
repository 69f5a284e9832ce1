import { useRabbitMq } from '../support/rabbitmq.ts'
import { startConversation } from './conversation.ts'
import { startNodes } from './fault-node.ts'
import { strikeInRounds } from './fault-rounds.ts'
import type { Fault } from './fault.ts'

/** Each of four proxies leads to two kinds of links of one node. */
const PROXIES = 4

/**
 * Every link of two nodes with RabbitMQ is cut again and again in the middle of messages: publisher and
 * control, inbox and clients' own sessions, of which there are none here.
 */
export const LINKS_CUT: Fault = {
  name: 'links-cut',
  short: { messages: 2_400, blows: 6 },
  long: { messages: 100_000, blows: 20 },
  // A node whose control link is back cannot know that nobody took its bindings away meanwhile.
  maxHoles: ({ blows }) => blows * 2,
  async run(stage, { messages, blows }) {
    const rabbitMq = await useRabbitMq(stage)
    const nodes = await startNodes(stage, { rabbitMq })
    const links = nodes.flatMap((node) => [...node.stomp, ...node.amqp].map((proxy) => ({ node, proxy })))
    return strikeInRounds({
      fault: `every link cut, ${blows} times`,
      nodes,
      traffic: await startConversation(stage, { nodes, outsideUrl: rabbitMq.amqpUrl }),
      messages,
      rounds: blows * PROXIES,
      async strike(round) {
        const { node, proxy } = links[round % PROXIES]!
        proxy.cut()
        const atMs = performance.now()
        await node.untilDown()
        return atMs
      },
    })
  },
}
