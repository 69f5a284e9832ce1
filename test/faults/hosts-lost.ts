import { useRabbitMq } from '../support/rabbitmq.ts'
import { startConversation } from './conversation.ts'
import { startNodes, type FaultNode } from './fault-node.ts'
import { strikeInRounds } from './fault-rounds.ts'
import type { Fault } from './fault.ts'

/**
 * Two hosts in each URL, which are one broker's: the first refuses, so that nodes move to the second; then
 * the second; then both, until the first is back.
 */
export const HOSTS_LOST: Fault = {
  name: 'hosts-lost',
  short: { messages: 900, blows: 6 },
  long: { messages: 60_000, blows: 60 },
  // Each node's control link moves in each round.
  maxHoles: ({ blows }) => blows * 2,
  async run(stage, { messages, blows }) {
    const rabbitMq = await useRabbitMq(stage)
    const nodes = await startNodes(stage, { rabbitMq, hosts: 2 })
    return strikeInRounds({
      fault: `of two hosts one is lost, the other, both, ${blows} times`,
      nodes,
      traffic: await startConversation(stage, { nodes, outsideUrl: rabbitMq.amqpUrl }),
      messages,
      rounds: blows,
      async strike(round) {
        const steps = [moveTo(1), moveTo(0), loseBoth]
        await Promise.all(nodes.map(steps[round % steps.length]!))
        return performance.now()
      },
    })
  },
}

function moveTo(host: 0 | 1): (node: FaultNode) => Promise<void> {
  return async (node) => {
    refuse(node, host, false)
    refuse(node, 1 - host, true)
    await node.untilDown()
  }
}

/** Both refuse until each link has tried both; then the one that was in use is back. */
async function loseBoth(node: FaultNode): Promise<void> {
  for (const host of [0, 1]) refuse(node, host, true)
  const others = [node.amqp[1]!, node.amqp[1]!, node.stomp[1]!].map(({ port }) => `:${port}: `)
  await node.until(({ detail }) => {
    const links = detail.split('; ')
    return others.every((other, i) => links[i]?.includes(other) === true)
  })
  refuse(node, 0, false)
}

function refuse(node: FaultNode, host: number, isRefusing: boolean): void {
  node.stomp[host]!.refuse(isRefusing)
  node.amqp[host]!.refuse(isRefusing)
}
