import type { FeedEventName } from '../../../protocol/payload/event-stream.ts'
import { streamOfTopic, streamOfUser } from '../../../protocol/streams.ts'
import type { SubscribeRequest } from '../../fanout/hub.ts'

/** One of the streams that a feed unites. */
export interface FeedSource {
  readonly event: FeedEventName
  /** Its name, which its event ids know. */
  readonly stream: string
  readonly subscription: Pick<SubscribeRequest, 'target' | 'destination' | 'userDestination'>
}

/** The streams of a user's feed, in the order of the vector. */
export function feedSources(user: string): readonly FeedSource[] {
  return [
    queueSource('notification', user, '/user/queue/notifications'),
    {
      event: 'broadcast',
      stream: streamOfTopic('broadcasts') ?? '',
      subscription: { target: { kind: 'topic', pattern: 'broadcasts' }, destination: '/topic/broadcasts' },
    },
    queueSource('order', user, '/user/queue/orders'),
    queueSource('operation', user, '/user/queue/operations'),
  ]
}

function queueSource(event: FeedEventName, user: string, destination: string): FeedSource {
  return {
    event,
    stream: streamOfUser(user, destination) ?? '',
    subscription: { target: { kind: 'user', user }, destination, userDestination: destination },
  }
}
