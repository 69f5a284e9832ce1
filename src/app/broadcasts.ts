import type { Broadcast, BroadcastPost } from '../../protocol/payload/broadcast.ts'
import type { StreamAppender } from '../stream/append.ts'
import { repeatable } from '../stream/request-key.ts'
import { timeOrderedId } from '../lib/time-ordered-id.ts'

const TOPIC = 'broadcasts'

/** What a repetition repeats, whichever path it took. */
const SCOPE = 'POST /api/v1/admin/broadcasts'

/**
 * Stores an announcement of `user` and relays it to `/topic/broadcasts`. Resolves when it is durable; a
 * repeated `clientId` is answered as the first time.
 */
export async function broadcast(
  appender: StreamAppender,
  user: string,
  { clientId, ...post }: BroadcastPost,
): Promise<{ id: string; eventId: string }> {
  const row: Broadcast = { id: timeOrderedId(), type: 'INFO', ...post, createdAt: new Date().toISOString() }
  const { result, eventIds } = await appender.append(
    async (tx) => {
      tx.broadcasts.insert(row)
      const event = {
        stream: `/topic/${TOPIC}`,
        address: { kind: 'topic', topic: TOPIC } as const,
        payload: row,
      }
      return { events: [event], result: { id: row.id } }
    },
    { request: repeatable({ user, scope: SCOPE, clientId }) },
  )
  return { id: result.id, eventId: eventIds[0] ?? '' }
}
