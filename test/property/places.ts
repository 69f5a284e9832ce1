import { parseEventId } from '../../protocol/event-id.ts'
import type { Address } from '../../src/broker/broker.ts'
import type { SubscribeRequest } from '../../src/fanout/hub.ts'

/** A stream, where its events are published to, and what one subscribes to. */
export interface Place {
  readonly stream: string
  readonly address: Address
  readonly request: Pick<SubscribeRequest, 'target' | 'destination' | 'userDestination'>
}

/** A stream of each kind, under names that no other run has. */
export function placesOf(run: string): readonly Place[] {
  const [topic, room, user] = [`rooms.${run}`, `orders.${run}`, `user-${run}`]
  const destination = '/user/queue/messages'
  return [
    {
      stream: `/topic/${topic}`,
      address: { kind: 'topic', topic },
      request: { target: { kind: 'topic', pattern: topic }, destination: `/topic/${topic}` },
    },
    {
      stream: `/topic/${room}`,
      address: { kind: 'private', topic: room },
      request: { target: { kind: 'private', topic: room }, destination: `/topic/${room}` },
    },
    {
      stream: `/user/${user}/queue/messages`,
      address: { kind: 'user', user, destination },
      request: { target: { kind: 'user', user }, destination, userDestination: destination },
    },
  ]
}

export function offsetOf(eventId: string | undefined): number {
  const id = parseEventId(eventId ?? '')
  if (id === undefined) throw new Error(`${String(eventId)} is no event id`)
  return id.offset
}
