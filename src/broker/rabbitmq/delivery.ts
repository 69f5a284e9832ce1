import type { HeaderList } from '../../../protocol/frame.ts'
import { RESERVED_SEND_HEADERS } from '../../../protocol/headers.ts'
import type { Delivery } from '../broker.ts'
import { PRIVATE_EXCHANGE, USER_EXCHANGE } from './exchanges.ts'
import { claims, EVENT_ID, FENCE, MARK, ORIGIN, type Sender, USER_DESTINATION } from './relay-headers.ts'

/** A MESSAGE of the inbox, taken apart. */
export interface InboxMessage {
  readonly ackId: string
  readonly isRedelivered: boolean
  /** Its value, whoever wrote it. */
  readonly fence: string | undefined
  /** What the broker says it was sent to. */
  readonly destination: string
  /** The rest: what subscribers may see. */
  readonly headers: HeaderList
  readonly body: Uint8Array
  /** Relay headers, whoever wrote them. */
  readonly said: Said
}

interface Said {
  readonly account: string
  readonly origin: string
  readonly mark: string
  readonly eventId: string
  readonly destination: string
}

/** What the broker says about its own delivery, and what is read here. */
const OWN_NAMES: ReadonlySet<string> = new Set(['destination', 'ack', 'redelivered', 'user-id', EVENT_ID])

/** Reads the headers once; of a repeated name the first counts, which the broker's own are. */
export function readInboxMessage(headers: HeaderList, body: Uint8Array): InboxMessage {
  const own = new Map<string, string>()
  const rest: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? ''
    const value = headers[i + 1] ?? ''
    if (OWN_NAMES.has(name) || name.startsWith('x-relay-')) {
      if (!own.has(name)) own.set(name, value)
    } else if (!RESERVED_SEND_HEADERS.has(name)) {
      // RabbitMQ passes on what it does not use: an outsider's receipt, transaction, credentials.
      rest.push(name, value)
    }
  }
  const get = (name: string): string => own.get(name) ?? ''
  return {
    ackId: get('ack'),
    isRedelivered: get('redelivered') === 'true',
    fence: own.get(FENCE),
    destination: get('destination'),
    headers: rest,
    body,
    said: {
      account: get('user-id'),
      origin: get(ORIGIN),
      mark: get(MARK),
      eventId: get(EVENT_ID),
      destination: get(USER_DESTINATION),
    },
  }
}

/** A delivery, with where it came from among the relay's nodes. */
export interface Judged {
  readonly delivery: Delivery
  readonly origin: { readonly boot: string; readonly sequence: number } | undefined
}

/**
 * What the hub gets. A stranger's message passes without its relay headers, and nowhere but to a topic:
 * `undefined` says that it must not pass.
 */
export function judge(message: InboxMessage, sender: Sender): Judged | undefined {
  const { said, headers, body } = message
  const address = addressOf(message)
  const origin = originOf(said.origin)
  const isOurs =
    origin !== undefined &&
    said.account === sender.account &&
    said.mark === sender.mark.of(...claims({ address, ...said }))
  if (!isOurs) {
    return address.kind === 'topic' ? { delivery: { address, headers, body }, origin: undefined } : undefined
  }
  const event = said.eventId === '' ? {} : { eventId: said.eventId }
  return { delivery: { address, headers, body, ...event }, origin }
}

function addressOf(message: InboxMessage): Delivery['address'] {
  const { destination } = message
  const parts = destination.split('/')
  const exchange = parts[1] === 'exchange' ? parts[2] : undefined
  const key = decoded(parts.length > 2 ? (parts.at(-1) ?? '') : '')
  if (exchange === USER_EXCHANGE) return { kind: 'user', user: key, destination: message.said.destination }
  if (exchange === PRIVATE_EXCHANGE) return { kind: 'private', topic: key }
  // `/topic/KEY`, and whatever other exchange an operator has bound to ours.
  return { kind: 'topic', topic: key }
}

/** RabbitMQ writes `/`, `%` and what is not ASCII as %XX in MESSAGE's destination. */
function decoded(key: string): string {
  if (!key.includes('%')) return key
  try {
    return decodeURIComponent(key)
  } catch {
    // Not UTF-8: an outsider's routing key, which no STOMP client could write either.
    return key
  }
}

function originOf(text: string): Judged['origin'] {
  const dot = text.indexOf('.')
  const sequence = Number(text.slice(dot + 1))
  return dot > 0 && Number.isSafeInteger(sequence) ? { boot: text.slice(0, dot), sequence } : undefined
}
