import { connect } from 'amqplib'
import type { Ear } from './ear.ts'
import type { FaultNode } from './fault-node.ts'
import type { Stage } from './fault.ts'
import { Hearing } from './hearing.ts'
import { listen } from './listen.ts'
import { QuorumSpeaker } from './quorum-speaker.ts'

const BUYER = 'buyer'

/** As an operator of a cluster does it, before the first node of the relay starts. */
export async function makeOrderQueueQuorum(amqpUrl: string): Promise<void> {
  const connection = await connect(amqpUrl)
  const channel = await connection.createChannel()
  await channel.assertQueue('user', { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  await connection.close()
}

/** A service that sends orders through one node of the relay, and their buyer at every node. */
export async function startOrders(
  stage: Stage,
  nodes: readonly FaultNode[],
): Promise<{ speaker: QuorumSpeaker; ears: readonly Ear[] }> {
  const speaker = await QuorumSpeaker.start(stage, 'order', {
    node: nodes.at(-1)!,
    // Not `/queue/user`: RabbitMQ would find it declared otherwise.
    destination: '/amq/queue/user',
    bodyOf: (orderId) => JSON.stringify({ orderId, userId: BUYER, status: 'PLACED' }),
  })
  const ears = await Promise.all(nodes.map((node) => orderEar(stage, node, speaker)))
  return { speaker, ears }
}

async function orderEar(stage: Stage, node: FaultNode, speaker: QuorumSpeaker): Promise<Ear> {
  const hearing = new Hearing(`orders by queue (stream), ${node.name}`)
  await listen(stage, {
    node,
    role: 'user',
    user: BUYER,
    destinations: ['/user/queue/orders'],
    hearing,
    read: (body) => (JSON.parse(body) as { orderId: string }).orderId,
  })
  // Several nodes take them in at once, each as quick as it can.
  return { hearing, speakers: [speaker], originOf: (message) => message }
}
