import { createHash } from 'node:crypto'
import type { ConsumedMessage } from '../../broker/broker.ts'
import { timeOrderedId } from '../../lib/time-ordered-id.ts'
import type { Store } from '../../store/store.ts'
import { DAY_MS } from '../../stream/event-row.ts'
import { requestKey } from '../../stream/request-key.ts'

/**
 * Stores a message as a dead letter and resolves with its id. A message that the broker gives out again, since
 * nobody told it that the first time was enough, is the same dead letter, while that is there.
 */
export function storeDeadLetter(
  store: Store,
  { headers, body, isRedelivered }: ConsumedMessage,
  { queue, reason }: { readonly queue: string; readonly reason: string },
): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(headers)).update('\n').update(body).digest('hex')
  // No user has an empty name.
  const key = requestKey({ user: '', scope: `dead letter of ${queue}`, clientId: hash })
  const now = new Date()
  return store.transact(async (tx) => {
    const known = (await tx.requests.find([key])).get(key)
    if (isRedelivered && typeof known === 'string' && (await store.deadLetters.find(known)) !== null) {
      return known
    }
    const id = timeOrderedId()
    tx.deadLetters.insert({ id, queue, reason, headers, body, createdAt: now.toISOString() })
    if (known === undefined) {
      const expiresAt = new Date(now.getTime() + DAY_MS).toISOString()
      tx.requests.insert({ key, answer: id, expiresAt })
    }
    return id
  })
}
