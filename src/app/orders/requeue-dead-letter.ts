import type { HeaderList } from '../../../protocol/frame.ts'
import type { Broker, BrokerMessage } from '../../broker/broker.ts'
import { MessageError } from '../../errors.ts'
import { timeOrderedId } from '../../lib/time-ordered-id.ts'
import type { DeadLetterRow } from '../../store/orders.ts'
import type { Store } from '../../store/store.ts'

/** Of the relay, about a dead letter; not of the message. */
const OURS = /^x-dead-letter-/
/** Tells the message from the one that became the dead letter, so that it can become another one. */
const REQUEUED = 'x-dead-letter-requeued'

/**
 * Puts a dead letter back into its queue, and removes it when the broker has the message. Where the node dies in
 * between, the message is in the queue and the row is there still: to requeue it again does no harm, since the
 * intake knows repetitions. Answers undefined where there is no such dead letter.
 *
 * Rejects with what the broker or the store say; the row stays then.
 */
export async function requeueDeadLetter(
  { broker, store }: { readonly broker: Broker; readonly store: Store },
  id: string,
): Promise<DeadLetterRow | undefined> {
  const letter = await store.deadLetters.find(id)
  if (letter === null) return undefined
  const { queue, body } = letter
  const message = { address: { kind: 'queue', queue }, body, persistent: true } as const
  const mark = [REQUEUED, timeOrderedId()]
  await publish(broker, message, [[...mark, ...withoutOurs(letter.headers)], mark])
  await store.deadLetters.remove(id)
  return letter
}

/** With the next headers where the broker cannot bear the first: the body is what the intake reads. */
async function publish(
  broker: Broker,
  message: Omit<BrokerMessage, 'headers'>,
  [headers = [], ...others]: readonly HeaderList[],
): Promise<void> {
  try {
    await broker.publish({ ...message, headers })
  } catch (error) {
    const isUnbearable = error instanceof MessageError && error.code === 'invalid-header'
    if (!isUnbearable || others.length === 0) throw error
    await publish(broker, message, others)
  }
}

function withoutOurs(headers: HeaderList): HeaderList {
  const kept: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const [name = '', value = ''] = headers.slice(i, i + 2)
    if (!OURS.test(name)) kept.push(name, value)
  }
  return kept
}
