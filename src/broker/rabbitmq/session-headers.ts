import { createHash } from 'node:crypto'
import { type Frame, header, type HeaderList } from '../../../protocol/frame.ts'
import { publishableHeaders } from '../../../protocol/headers.ts'
import { MessageError } from '../../errors.ts'

/**
 * A MESSAGE's headers as the client gets them. RabbitMQ passes on what it does not use, the receipts and
 * transactions of other sessions among it; relay headers are for the relay's inbox to believe.
 */
export function clientHeaders(headers: HeaderList): HeaderList {
  const kept = publishableHeaders(headers)
  return header(headers, 'redelivered') === 'true' ? ['redelivered', 'true', ...kept] : kept
}

/**
 * A SEND's headers as RabbitMQ gets them. `user-id` above all must not pass: over the relay's account a
 * client could speak in the relay's name.
 */
export function sendHeaders(headers: HeaderList): HeaderList {
  const kept = publishableHeaders(headers)
  return header(headers, 'persistent') === 'true' ? [...kept, 'persistent', 'true'] : kept
}

const SUBSCRIBE_NAMES: ReadonlySet<string> = new Set([
  'durable',
  'persistent',
  'auto-delete',
  'exclusive',
  'selector',
])

/** What of a SUBSCRIBE's or UNSUBSCRIBE's headers means something to RabbitMQ. */
export function subscribeHeaders(headers: HeaderList): string[] {
  const kept: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? ''
    const isKept = SUBSCRIBE_NAMES.has(name) || (name.startsWith('x-') && !name.startsWith('x-relay-'))
    if (isKept) kept.push(name, headers[i + 1] ?? '')
  }
  return kept
}

export function isDurable(headers: HeaderList): boolean {
  return header(headers, 'durable') === 'true' || header(headers, 'persistent') === 'true'
}

/**
 * The id of a durable subscription at the broker. RabbitMQ names its queue after id and topic and not
 * after the user, so that equal ids of two users would share one queue and split its messages.
 */
export function durableId(user: string, id: string): string {
  const name = createHash('sha256').update(`${user.length}:${user}${id}`).digest('hex')
  return `d-${name.slice(0, 40)}`
}

/** RabbitMQ writes `%` and what is not ASCII as %XX; of these only %2F is what a client would write too. */
export function clientDestination(destination: string): string {
  if (!destination.includes('%')) return destination
  return destination.replaceAll(/(?:%(?!2[fF])[0-9A-Fa-f]{2})+/g, (run) => {
    try {
      return decodeURIComponent(run)
    } catch {
      return run
    }
  })
}

/** Errors after which RabbitMQ keeps the connection open: what each means to the client. */
const SOFT = new Map([
  ['Missing destination', 'invalid-destination'],
  ['Unknown destination', 'unknown-destination'],
  ['Invalid destination', 'invalid-destination'],
  ['Invalid header', 'invalid-header'],
  ['Missing header', 'invalid-header'],
  ['Missing Header', 'invalid-header'],
  ['Missing transaction', 'unknown-transaction'],
  ['Bad transaction', 'unknown-transaction'],
  ['Bad command', 'broker-refused'],
  ['Illegal command', 'broker-refused'],
  ['No subscription found', 'unknown-subscription'],
  ['Subscription not found', 'unknown-subscription'],
  ['Missing destination or id', 'invalid-header'],
  ['Invalid id', 'invalid-header'],
  ['Processing error', 'broker-refused'],
] as const)

/** Undefined for an ERROR that RabbitMQ ends the connection after. */
export function softError(frame: Frame): MessageError | undefined {
  const message = header(frame.headers, 'message') ?? ''
  for (const [text, code] of SOFT) {
    if (text === message) return new MessageError(code, `the broker refused it: ${message}`)
  }
  return undefined
}
