import type { Address } from '../broker.ts'

/** RabbitMQ's own; every STOMP `/topic/…` of everybody goes through it. */
export const OUTSIDE_TOPICS = 'amq.topic'

/** Ours are not durable, which makes binds 5 to 8 times faster; they are declared at every connect. */
export const TOPIC_EXCHANGE = 'stomp-relay.topic'
export const PRIVATE_EXCHANGE = 'stomp-relay.private'
export const USER_EXCHANGE = 'stomp-relay.user'

export const DEFAULT_EXCHANGE = ''

export interface Route {
  readonly exchange: string
  readonly key: string
}

export function routeOf(address: Address): Route {
  switch (address.kind) {
    case 'topic':
      return { exchange: OUTSIDE_TOPICS, key: address.topic }
    case 'private':
      return { exchange: PRIVATE_EXCHANGE, key: address.topic }
    case 'user':
      return { exchange: USER_EXCHANGE, key: address.user }
    case 'queue':
      return { exchange: DEFAULT_EXCHANGE, key: address.queue }
  }
}
