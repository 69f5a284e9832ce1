import type { Options } from 'amqplib'
import { ownedBytes } from '../../lib/owned-bytes.ts'
import type { BrokerMessage } from '../broker.ts'
import { assertRoutable, toAmqpProperties } from './amqp-properties.ts'
import { routeOf, type Route } from './exchanges.ts'
import type { RelayMark } from './relay-mark.ts'

/** `BOOT.SEQ`: which start of which node published it, and its place among all that node published. */
export const ORIGIN = 'x-relay-origin'
/** The destination of a user message, which its routing key does not tell. */
export const USER_DESTINATION = 'x-relay-destination'
export const EVENT_ID = 'event-id'
export const MARK = 'x-relay-mark'
/** `TOKEN.NUMBER`: only on what a node sends to its own inbox. */
export const FENCE = 'x-relay-fence'

export interface Sender {
  readonly account: string
  readonly boot: string
  readonly mark: RelayMark
}

/** A message as AMQP takes it. */
export interface Outgoing extends Route {
  readonly content: Buffer
  readonly options: Options.Publish
}

/**
 * @throws MessageError `invalid-header`, `invalid-destination`
 * @param nextSequence called once, and only for a message that can be sent
 */
export function toOutgoing(message: BrokerMessage, sender: Sender, nextSequence: () => number): Outgoing {
  const { address, body } = message
  const route = routeOf(address)
  assertRoutable(route.key)
  const properties = toAmqpProperties(message.headers)
  const origin = `${sender.boot}.${nextSequence()}`
  const { headers } = properties
  const eventId = message.eventId ?? ''
  const destination = address.kind === 'user' ? address.destination : ''
  headers[ORIGIN] = origin
  if (eventId !== '') headers[EVENT_ID] = eventId
  if (destination !== '') headers[USER_DESTINATION] = destination
  headers[MARK] = sender.mark.of(...claims({ address, origin, eventId, destination }))
  properties.userId = sender.account
  properties.deliveryMode = message.persistent ? 2 : 1
  // It is kept until the broker confirms it.
  const { buffer, byteOffset, byteLength } = ownedBytes(body)
  return { ...route, content: Buffer.from(buffer, byteOffset, byteLength), options: properties }
}

export interface Claims {
  readonly address: {
    readonly kind: string
    readonly topic?: string
    readonly user?: string
    readonly queue?: string
  }
  readonly origin: string
  readonly eventId: string
  readonly destination: string
}

export function claims({ address, origin, eventId, destination }: Claims): string[] {
  const name = address.topic ?? address.user ?? address.queue ?? ''
  return [address.kind, name, origin, eventId, destination]
}
