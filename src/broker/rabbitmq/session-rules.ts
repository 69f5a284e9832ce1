import { header, type HeaderList } from '../../../protocol/frame.ts'
import { MessageError } from '../../errors.ts'
import { assertProperty, CHECKED_PROPERTIES } from './amqp-properties.ts'

/**
 * What RabbitMQ would answer with an ERROR is refused before it gets there: its ERROR names no frame, so
 * that of a SEND which asked for no receipt could be any frame's, and many of them end the session.
 */

/** By prefix, what may follow it (RabbitMQ's STOMP guide, "Destinations"). `/temp-queue` is for `reply-to` only. */
const SHAPES: readonly (readonly [string, RegExp])[] = [
  ['/topic/', /^[^/]+$/],
  ['/queue/', /^[^/]+$/],
  ['/amq/queue/', /^[^/]+$/],
  ['/exchange/', /^[^/]+(?:\/[^/]*)?$/],
  ['/reply-queue/', /^[^]+$/],
  ['/temp-queue/', /(?!)/],
]

/** @throws MessageError `unknown-destination`, `invalid-destination` */
export function assertDestination(destination: string): void {
  for (const [prefix, shape] of SHAPES) {
    if (!destination.startsWith(prefix)) continue
    if (shape.test(destination.slice(prefix.length))) return
    throw new MessageError('invalid-destination', `the broker has no such destination: ${destination}`)
  }
  throw new MessageError('unknown-destination', 'there is no such destination')
}

/** Arguments of queues, as headers (RabbitMQ's STOMP guide, "Queue Properties"). */
export const INTEGER_ARGUMENTS: readonly string[] = [
  'x-expires',
  'x-max-length',
  'x-max-length-bytes',
  'x-max-priority',
  'x-message-ttl',
  'x-stream-max-segment-size-bytes',
  'x-stream-filter-size-bytes',
]
const FLAGS = ['durable', 'auto-delete', 'exclusive', 'persistent']

/** What is right of a queue to be declared by SUBSCRIBE or SEND. @throws MessageError `invalid-header` */
export function assertQueueHeaders(headers: HeaderList): void {
  for (const name of INTEGER_ARGUMENTS) {
    const value = header(headers, name)
    if (value !== undefined && !/^\d{1,15}$/.test(value)) throw invalid(`${name} must be a whole number`)
  }
  for (const name of FLAGS) {
    const value = header(headers, name)
    if (value !== undefined && value !== 'true' && value !== 'false') {
      throw invalid(`${name} must be true or false`)
    }
  }
}

/** @throws MessageError `invalid-header` for what RabbitMQ would end the session for */
export function assertSendHeaders(headers: HeaderList): void {
  assertQueueHeaders(headers)
  for (const name of CHECKED_PROPERTIES) {
    const value = header(headers, name)
    if (value !== undefined) assertProperty(name, value)
  }
}

/** The client's `prefetch-count` within the bound; RabbitMQ would keep one subscription's for the next. */
export function prefetchOf(headers: HeaderList, max: number): number {
  const text = header(headers, 'prefetch-count')
  if (text === undefined || text === '0') return max
  if (/^[1-9]\d{0,4}$/.test(text)) return Math.min(Number(text), max)
  throw invalid('prefetch-count must be a number from 0 to 65535')
}

function invalid(message: string): MessageError {
  return new MessageError('invalid-header', message)
}
