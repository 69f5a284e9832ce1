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

/** When the events of a batch happened and expire, as they are stored. */
export interface EventTimes {
  readonly createdAt: string
  /** Of streams of users. */
  readonly userExpiresAt: string
  /** Of all others. */
  readonly expiresAt: string
}

export function eventTimes(at: Date, { userDays, days }: Retention): EventTimes {
  const after = (count: number): string => new Date(at.getTime() + count * DAY_MS).toISOString()
  return { createdAt: at.toISOString(), userExpiresAt: after(userDays), expiresAt: after(days) }
}

/**
 * The event as it is stored.
 *
 * @throws MessageError `invalid-payload` where the payload is no JSON
 */
export function eventRow({ stream, address, payload }: NewEvent, times: EventTimes): NewEventRow {
  const { createdAt, userExpiresAt, expiresAt } = times
  return {
    stream,
    address,
    headers: JSON_HEADERS,
    body: toJson(payload),
    createdAt,
    expiresAt: stream.startsWith('/user/') ? userExpiresAt : expiresAt,
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
