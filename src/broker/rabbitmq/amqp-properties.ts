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

interface NumberRange {
  readonly property: 'priority' | 'timestamp'
  readonly max: number
}
const NUMBER_PROPERTIES: ReadonlyMap<string, NumberRange> = new Map([
  ['priority', { property: 'priority', max: 255 }],
  ['timestamp', { property: 'timestamp', max: Number.MAX_SAFE_INTEGER }],
] as const)

/** Milliseconds; RabbitMQ refuses more, and ends the channel with it. */
const MAX_EXPIRATION = 4_294_967_295

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
  const text = TEXT_PROPERTIES.get(name)
  const number = NUMBER_PROPERTIES.get(name)
  if (text !== undefined) {
    assertShort(name, value)
    Object.assign(properties, { [text]: value })
  } else if (number !== undefined) {
    Object.assign(properties, { [number.property]: integer(name, value, number.max) })
  } else if (name === 'expiration') {
    properties.expiration = String(integer(name, value, MAX_EXPIRATION))
  } else if (FORBIDDEN.has(name)) {
    throw invalid(`${name} cannot be sent`)
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

function integer(name: string, value: string, max: number): number {
  const number = Number(value)
  if (!/^\d{1,16}$/.test(value) || number > max) throw invalid(`${name} must be an integer from 0 to ${max}`)
  return number
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
