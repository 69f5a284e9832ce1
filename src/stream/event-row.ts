import type { HeaderList } from '../../protocol/frame.ts'
import type { Address } from '../broker/broker.ts'
import { MessageError } from '../errors.ts'
import type { NewEventRow } from '../store/store.ts'

export interface NewEvent {
  /** The destination that names the stream: `/topic/messages`, `/user/bob/queue/orders`. */
  readonly stream: string
  /** Where it is relayed once it is stored. */
  readonly address: Address
  /** Any JSON value. */
  readonly payload: unknown
}

/** For how many days streams can be replayed. */
export interface Retention {
  /** Streams of one user, `/user/…`. */
  readonly userDays: number
  /** All others. */
  readonly days: number
}

export const DAY_MS = 86_400_000

const JSON_HEADERS: HeaderList = ['content-type', 'application/json']

/**
 * The event as it is stored.
 *
 * @throws MessageError `invalid-payload` where the payload is no JSON
 */
export function eventRow(event: NewEvent, at: Date, retention: Retention): NewEventRow {
  const { stream, address, payload } = event
  const days = stream.startsWith('/user/') ? retention.userDays : retention.days
  return {
    stream,
    address,
    headers: JSON_HEADERS,
    body: toJson(payload),
    createdAt: at.toISOString(),
    expiresAt: new Date(at.getTime() + days * DAY_MS).toISOString(),
  }
}

function toJson(payload: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(payload)
  } catch (cause) {
    throw new MessageError('invalid-payload', 'the payload is not JSON', { cause })
  }
  if (text === undefined) throw new MessageError('invalid-payload', 'the payload is not JSON')
  return text
}
