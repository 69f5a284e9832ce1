import { v7 as uuid } from 'uuid'
import type { Broadcast, BroadcastPost } from '../../protocol/payload/broadcast.ts'
import type { StreamAppender } from '../stream/append.ts'

const TOPIC = 'broadcasts'

/** Stores an announcement and relays it to `/topic/broadcasts`. Resolves when it is durable. */
export async function broadcast(
  appender: StreamAppender,
  post: BroadcastPost,
): Promise<{ id: string; eventId: string }> {
  const row: Broadcast = { id: uuid(), type: 'INFO', ...post, createdAt: new Date().toISOString() }
  const { eventIds } = await appender.append(async (tx) => {
    tx.broadcasts.insert(row)
    const event = {
      stream: `/topic/${TOPIC}`,
      address: { kind: 'topic', topic: TOPIC } as const,
      payload: row,
    }
    return { events: [event], result: undefined }
  })
  return { id: row.id, eventId: eventIds[0] ?? '' }
}
