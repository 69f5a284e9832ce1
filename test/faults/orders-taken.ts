import { useRabbitMq } from '../support/rabbitmq.ts'
import { SseReader } from '../support/sse-reader.ts'
import { useTcpProxy } from '../support/tcp-proxy.ts'
import type { Ear } from './ear.ts'
import { startNodes, type FaultNode } from './fault-node.ts'
import { strikeInRounds } from './fault-rounds.ts'
import { faultToken } from './fault-token.ts'
import type { Fault, Stage } from './fault.ts'
import { Hearing } from './hearing.ts'
import { listen } from './listen.ts'
import { OrderService } from './order-service.ts'
import { OutsideSpeaker } from './outside-speaker.ts'
import type { Speaker } from './speaker.ts'
import { Traffic } from './traffic.ts'

const OWNER = 'owner'

/**
 * Services that know nothing of the relay publish orders, over AMQP and over STOMP, while every link is cut,
 * that of the STOMP service among them, which then publishes some again. Each order takes effect once.
 */
export const ORDERS_TAKEN: Fault = {
  name: 'orders-taken',
  short: { messages: 600, blows: 2 },
  long: { messages: 20_000, blows: 20 },
  maxHoles: ({ blows }) => blows * 2,
  async run(stage, { messages, blows }) {
    const rabbitMq = await useRabbitMq(stage)
    const nodes = await startNodes(stage, { rabbitMq })
    const doorway = await useTcpProxy(stage, Number(new URL(rabbitMq.stompUrl).port))
    const stompUrl = new URL(rabbitMq.stompUrl)
    stompUrl.port = String(doorway.port)
    const speakers = await Promise.all([
      OutsideSpeaker.start(stage, rabbitMq.amqpUrl, { name: 'amqp', exchange: '', key: 'user', bodyOf }),
      OrderService.start(stage, { name: 'stomp', stompUrl: stompUrl.href, bodyOf }),
    ])
    const ears = await Promise.all(nodes.map((node) => earsAt(stage, node, speakers)))
    const links = nodes.flatMap((node) => [...node.stomp, ...node.amqp].map((proxy) => ({ node, proxy })))
    return strikeInRounds({
      fault: `orders published while every link is cut, ${blows} times`,
      nodes,
      traffic: new Traffic(speakers, ears.flat()),
      messages,
      rounds: blows * links.length,
      isSettledEachRound: true,
      async strike(round) {
        const { node, proxy } = links[round % links.length]!
        proxy.cut()
        doorway.cut()
        const atMs = performance.now()
        await node.untilDown()
        return atMs
      },
    })
  },
}

function bodyOf(orderId: string): string {
  return JSON.stringify({ orderId, userId: OWNER, status: 'PLACED' })
}

/** Orders have an order only each for itself, as all nodes take them. */
function sameOrigin(orderId: string): string {
  return orderId
}

async function earsAt(stage: Stage, node: FaultNode, speakers: readonly Speaker[]): Promise<Ear[]> {
  const read = (body: string): string => (JSON.parse(body) as { orderId: string }).orderId
  const own = new Hearing(`owner's orders (stream), ${node.name}`)
  const all = new Hearing(`all orders (stream), ${node.name}`)
  const sse = new Hearing(`owner's event stream, ${node.name}`)
  await Promise.all([
    listen(stage, {
      node,
      user: OWNER,
      role: 'user',
      destinations: ['/user/queue/orders'],
      hearing: own,
      read,
    }),
    listen(stage, {
      node,
      user: 'chief',
      role: 'admin',
      destinations: ['/topic/orders'],
      hearing: all,
      read,
    }),
    listenToEvents(stage, node, (event, data) => {
      if (event === 'order') sse.hear(read(data))
    }),
  ])
  return [own, all, sse].map((hearing) => ({ hearing, speakers, originOf: sameOrigin }))
}

async function listenToEvents(
  stage: Stage,
  node: FaultNode,
  onEvent: (event: string, data: string) => void,
): Promise<void> {
  const headers = { authorization: `Bearer ${await faultToken(OWNER, 'user')}` }
  const reader = await SseReader.open(stage, `${node.address}/api/v1/notifications/stream`, headers)
  const pump = async (): Promise<void> => {
    for (let i = 0; ; i += 1) {
      const { event, data } = await reader.events.at(i)
      onEvent(event, data)
    }
  }
  void pump()
}
