import type { RoomMessage } from '../../protocol/payload/room-message.ts'
import { clientName } from '../contestants/relay.ts'
import type { ClientAccess, ClientPlan, TopicPlan } from '../load/client-plan.ts'

/** Stands where the benchmark body goes: unlike anything that JSON puts around it. */
const BODY = '@'
const JSON_HEADERS = ['content-type', 'application/json']
const PERSISTENT_HEADERS = [...JSON_HEADERS, 'persistent', 'true']

/** What becomes of a message besides being relayed. RabbitMQ keeps the stored and persistent ones on disk. */
export type ChatKind = 'stored' | 'persistent' | 'transient'

/**
 * Rooms in which everybody hears everything.
 *
 * `stored`: publishers SEND to `/app/rooms/{room}/messages`; the relay stores each message and relays
 * what it stored, which is more than it got. `unstored`: publishers SEND to plain topics, as many of
 * them, bodies that are byte for byte as long as what the relay would have stored, so that subscribers
 * get the same either way.
 */
export function chatPlan(access: ClientAccess, kind: ChatKind, rooms: number): ClientPlan {
  const names = Array.from({ length: rooms }, (_, index) => `bench-${index}`)
  const topics = names.map((room) => (kind === 'stored' ? storedTopic(room) : plainTopic(room, kind)))
  return { ...access, topics, bodyOffset: relayedText(names[0]!).indexOf(BODY), hasReceipts: true }
}

function storedTopic(room: string): TopicPlan {
  return {
    publishTo: `/app/rooms/${room}/messages`,
    subscribeTo: `/topic/rooms.${room}`,
    headers: JSON_HEADERS,
    ...around(JSON.stringify({ content: BODY })),
  }
}

function plainTopic(room: string, kind: ChatKind): TopicPlan {
  const destination = `/topic/rooms.${room}`
  return {
    publishTo: destination,
    subscribeTo: destination,
    headers: kind === 'persistent' ? PERSISTENT_HEADERS : JSON_HEADERS,
    ...around(relayedText(room)),
  }
}

/** What the relay makes of a message: names, ids and times of the lengths that it uses. */
function relayedText(room: string): string {
  const message: RoomMessage = {
    id: '0197c1a2-5d0b-7cc3-98f1-0c4f6a1b2d3e',
    room,
    sender: clientName(0),
    content: BODY,
    timestamp: '2026-09-01T08:30:00.000Z',
  }
  return JSON.stringify(message)
}

function around(text: string): Pick<TopicPlan, 'before' | 'after'> {
  const [before = '', after = ''] = text.split(BODY)
  return { before, after }
}
