import type { Options } from 'amqplib'
import type { HeaderList } from '../../../protocol/frame.ts'
import { MessageError } from '../../errors.ts'

const SHORT_STRING_BYTES = 255
/** What is left of a header frame of 128 KiB, which AMQP does not split. */
const ALL_HEADERS_BYTES = 100 * 1024

const TEXT_PROPERTIES: ReadonlyMap<string, keyof Options.Publish> = new Map([
  ['content-type', 'contentType'],
  ['content-encoding', 'contentEncoding'],
  ['correlation-id', 'correlationId'],
  ['reply-to', 'replyTo'],
  ['amqp-message-id', 'messageId'],
  ['type', 'type'],
  ['app-id', 'appId'],
] as const)

/** An AMQP header `CC` or `BCC` that is no list ends the channel, for everybody who uses it. */
const FORBIDDEN: ReadonlySet<string> = new Set(['CC', 'BCC'])

/** The greatest value of each. RabbitMQ ends the channel for an expiration of more than ten years (milliseconds). */
const MAXIMA: ReadonlyMap<string, number> = new Map([
  ['priority', 255],
  ['timestamp', Number.MAX_SAFE_INTEGER],
  ['expiration', 315_360_000_000],
])

/** Headers that `assertProperty` may refuse. */
export const CHECKED_PROPERTIES: readonly string[] = [...MAXIMA.keys(), ...FORBIDDEN]

/** @throws MessageError `invalid-header` for a value that RabbitMQ would end the channel for */
export function assertProperty(name: string, value: string): void {
  if (FORBIDDEN.has(name)) throw invalid(`${name} cannot be sent`)
  const max = MAXIMA.get(name)
  if (max === undefined) return
  if (!/^\d{1,16}$/.test(value) || Number(value) > max) {
    throw invalid(`${name} must be an integer from 0 to ${max}`)
  }
}

/**
 * A client's headers as AMQP properties, named as RabbitMQ's STOMP plugin names them, and the rest as
 * a table of strings: the plugin drops the small integer types. Of a repeated name the first counts.
 *
 * @throws MessageError `invalid-header` for what RabbitMQ would end the channel for
 */
export function toAmqpProperties(headers: HeaderList): Options.Publish & { headers: Record<string, string> } {
  const table: Record<string, string> = Object.create(null)
  const properties: Options.Publish & { headers: Record<string, string> } = { headers: table }
  const seen = new Set<string>()
  let bytes = 0
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? ''
    const value = headers[i + 1] ?? ''
    if (seen.has(name)) continue
    seen.add(name)
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + 6
    setOne(properties, table, name, value)
  }
  if (bytes > ALL_HEADERS_BYTES) throw invalid('the headers are too long')
  return properties
}

function setOne(
  properties: Options.Publish,
  table: Record<string, string>,
  name: string,
  value: string,
): void {
  assertProperty(name, value)
  const text = TEXT_PROPERTIES.get(name)
  if (text !== undefined) {
    assertShort(name, value)
    Object.assign(properties, { [text]: value })
  } else if (name === 'priority' || name === 'timestamp') {
    properties[name] = Number(value)
  } else if (name === 'expiration') {
    properties.expiration = String(Number(value))
  } else {
    assertShort('a header name', name)
    table[name] = value
  }
}

function assertShort(what: string, text: string): void {
  if (Buffer.byteLength(text) > SHORT_STRING_BYTES) {
    throw invalid(`${what} is longer than ${SHORT_STRING_BYTES} bytes`)
  }
}

function invalid(message: string): MessageError {
  return new MessageError('invalid-header', message)
}

/** @throws MessageError `invalid-destination` for what AMQP cannot route */
export function assertRoutable(key: string): void {
  if (Buffer.byteLength(key) > SHORT_STRING_BYTES) {
    throw new MessageError(
      'invalid-destination',
      `the destination is longer than ${SHORT_STRING_BYTES} bytes`,
    )
  }
}
