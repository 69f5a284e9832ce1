import { streamOfTopic, streamOfUser } from '../../protocol/streams.ts'
import type { Delivery } from '../broker/broker.ts'
import type { EntryPlace } from './entry-index.ts'

/** A stream, and where its events are published to. */
export interface StreamPlace {
  readonly stream: string
  readonly address: Delivery['address']
}

/** The stream whose events reach a place; undefined where nothing is stored, or several streams meet. */
export function streamAt({ target, userDestination: destination }: EntryPlace): StreamPlace | undefined {
  if (target.kind !== 'user') {
    const topic = target.kind === 'topic' ? target.pattern : target.topic
    return placeOf(streamOfTopic(topic), { kind: target.kind, topic })
  }
  if (destination === undefined) return undefined
  return placeOf(streamOfUser(target.user, destination), { kind: 'user', user: target.user, destination })
}

function placeOf(stream: string | undefined, address: Delivery['address']): StreamPlace | undefined {
  return stream === undefined ? undefined : { stream, address }
}
