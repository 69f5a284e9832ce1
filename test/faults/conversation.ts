import type { Ear } from './ear.ts'
import { ClientSpeaker } from './client-speaker.ts'
import type { FaultNode } from './fault-node.ts'
import type { Stage } from './fault.ts'
import { Hearing } from './hearing.ts'
import { listen } from './listen.ts'
import { OutsideSpeaker } from './outside-speaker.ts'
import { originOf, type Speaker } from './speaker.ts'
import { Traffic } from './traffic.ts'

const ROOM = 'faults'

export interface ConversationOptions {
  readonly nodes: readonly FaultNode[]
  /** For somebody who publishes to topics past the relay; undefined where nobody does. */
  readonly outsideUrl: string | undefined
  /** Who takes part besides. */
  readonly others?: { readonly speakers: readonly Speaker[]; readonly ears: readonly Ear[] }
}

/**
 * On each node a client that publishes to a topic and one that writes in a room, and beside them somebody
 * outside; and on each node subscribers of the topics, of a pattern, and of the room. Clients stay
 * connected all the time.
 */
export async function startConversation(stage: Stage, options: ConversationOptions): Promise<Traffic> {
  const { nodes, outsideUrl, others = { speakers: [], ears: [] } } = options
  const topics = await Promise.all([
    ...nodes.map((node) => topicSpeaker(stage, node)),
    ...(outsideUrl === undefined ? [] : [outsideSpeaker(stage, outsideUrl)]),
  ])
  const writers = await Promise.all(nodes.map((node) => roomSpeaker(stage, node)))
  const ears = await Promise.all(nodes.map((node) => earsAt(stage, node, { topics, writers })))
  return new Traffic([...topics, ...writers, ...others.speakers], [...ears.flat(), ...others.ears])
}

/** Whether it is published to a topic and stored nowhere. */
export function isTransient(message: string): boolean {
  return /^(west|east|outside)-/.test(message)
}

function topicSpeaker(stage: Stage, node: FaultNode): Promise<Speaker> {
  const { name } = node
  return ClientSpeaker.start(stage, { name, node, role: 'service', destination: `/topic/faults.${name}` })
}

function outsideSpeaker(stage: Stage, amqpUrl: string): Promise<Speaker> {
  const route = { name: 'outside', exchange: 'amq.topic', key: 'faults.outside' }
  return OutsideSpeaker.start(stage, amqpUrl, route)
}

function roomSpeaker(stage: Stage, node: FaultNode): Promise<Speaker> {
  return ClientSpeaker.start(stage, {
    name: `writer-${node.name}`,
    node,
    role: 'user',
    destination: `/app/rooms/${ROOM}/messages`,
    bodyOf: (message) => JSON.stringify({ content: message, clientId: message }),
  })
}

async function earsAt(
  stage: Stage,
  node: FaultNode,
  { topics, writers }: { topics: readonly Speaker[]; writers: readonly Speaker[] },
): Promise<Ear[]> {
  const ear = (subscriber: string, speakers: readonly Speaker[]): Ear => {
    return { hearing: new Hearing(`${subscriber}, ${node.name}`), speakers, originOf }
  }
  const plain = ear('topics', topics)
  const pattern = ear('pattern of topics', topics)
  const room = ear('room (stream)', writers)
  const names = topics.map(({ name }) => `/topic/faults.${name}`)
  const service = { node, role: 'service', read: (body: string) => body } as const
  const content = (body: string): string => (JSON.parse(body) as { content: string }).content
  const user = { node, role: 'user', read: content } as const
  await Promise.all([
    listen(stage, { ...service, destinations: names, hearing: plain.hearing }),
    listen(stage, { ...service, destinations: ['/topic/faults.#'], hearing: pattern.hearing }),
    listen(stage, { ...user, destinations: [`/topic/rooms.${ROOM}`], hearing: room.hearing }),
  ])
  return [plain, pattern, room]
}
