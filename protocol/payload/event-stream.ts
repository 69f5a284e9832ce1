import { Type, type Static } from 'typebox'
import { USER_NAME } from './fields.ts'

/** What arrives on the event stream of a user, by the event's name; the data is that of the stream. */
export const FEED_EVENT = Type.Enum(['notification', 'broadcast', 'order', 'operation'], {
  description: 'What the data is',
  examples: ['notification'],
})

export type FeedEventName = Static<typeof FEED_EVENT>

const VECTOR = Type.String({
  description: 'Position in all streams of the feed: resumes behind this event, and behind all before it',
  examples: ['k3v9x0a1b2c3d4:12,k3v9x0q8w7e6r5:3,k3v9x0z1x2c3v4:0,k3v9x0m9n8b7v6:0'],
})

const RECOVERY = {
  recovered: Type.Optional(
    Type.Boolean({
      description:
        'Only where an id was given: whether everything after it follows; otherwise new events alone do, of the streams with a reason, and what they show has to be loaded anew',
      examples: [false],
    }),
  ),
  reason: Type.Optional(
    Type.String({ description: 'The first of the reasons', examples: ['history-trimmed'] }),
  ),
  reasons: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      description: 'Why not, by the event of each stream concerned',
      examples: [{ order: 'history-trimmed' }],
    }),
  ),
}

/** Data of the SSE event `connected`. */
export const FEED_CONNECTED = Type.Object(
  { user: { ...USER_NAME, description: 'Whose events follow' }, ...RECOVERY },
  { description: 'The first event of a stream; comes again where resuming failed on the way' },
)

export type FeedConnected = Static<typeof FEED_CONNECTED>

/** Data of the SSE event `token-expired`, the last of its stream. */
export const FEED_ENDED = Type.Object(
  {
    code: Type.Literal('token-expired', { description: 'For programs', examples: ['token-expired'] }),
    message: Type.String({ description: 'For people', examples: ['the token ran out'] }),
  },
  { description: 'The last event of a stream whose token is over' },
)

export type FeedEnded = Static<typeof FEED_ENDED>

/** Answer to GET `/api/v1/notifications/poll`. */
export const FEED_POLL = Type.Object(
  {
    events: Type.Array(
      Type.Object({
        id: VECTOR,
        event: FEED_EVENT,
        data: Type.Unknown({ description: 'As on the stream of that kind' }),
      }),
      {
        description: 'In order within each kind',
        examples: [
          [
            {
              id: 'k3v9x0a1b2c3d4:12,k3v9x0q8w7e6r5:3,k3v9x0z1x2c3v4:0,k3v9x0m9n8b7v6:0',
              event: 'broadcast',
              data: { title: 'Maintenance' },
            },
          ],
        ],
      },
    ),
    lastEventId: { ...VECTOR, description: 'What to pass as `after` next time' },
    ...RECOVERY,
  },
  { description: 'What came after a position, or that nothing came' },
)

export type FeedPoll = Static<typeof FEED_POLL>
