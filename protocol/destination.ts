import { encodeUtf8 } from './utf8.ts'

/** Names of rooms and orders; an `orderId` and a `room` in payloads too. */
export const NAME_PATTERN = '^[A-Za-z0-9_-]{1,64}$'
/** Names of principals. */
export const USER_NAME_PATTERN = '^[A-Za-z0-9_.@-]{1,64}$'

const NAME = new RegExp(NAME_PATTERN)
const USER_NAME = new RegExp(USER_NAME_PATTERN)
const WILDCARD_WORD = /(^|\.)[*#](\.|$)/

/** What AMQP can bind (a short string). Longer topics need a broker session of the client's own. */
const MAX_TOPIC_BYTES = 255

export function isName(text: string): boolean {
  return NAME.test(text)
}

export function isUserName(text: string): boolean {
  return USER_NAME.test(text)
}

/** Whether AMQP can bind the topic. */
export function isBindableTopic(topic: string): boolean {
  // A UTF-16 unit is at most three bytes: most topics need not be encoded to be measured.
  return topic.length * 3 <= MAX_TOPIC_BYTES || encodeUtf8(topic).length <= MAX_TOPIC_BYTES
}

/** Queues, exchanges and topics of the relay itself, which no client reaches, whatever its role. */
export function isReservedName(name: string): boolean {
  return name === 'stomp-relay' || name.startsWith('stomp-relay.')
}

/** Orders travel where no wildcard and no outside publisher comes. */
export function isPrivateTopic(topic: string): boolean {
  return topic === 'orders' || topic.startsWith('orders.')
}

const ROOM_PREFIX = '/topic/rooms.'

/** The room whose messages a destination names, or undefined. */
export function roomOfDestination(destination: string): string | undefined {
  const room = destination.startsWith(ROOM_PREFIX) ? destination.slice(ROOM_PREFIX.length) : ''
  return isName(room) ? room : undefined
}

const ROOM_PARTS = new Set([undefined, 'typing', 'read', 'presence'])

/** Whether a topic is of one room: `rooms.{room}`, `rooms.{room}.typing`, … */
export function isRoomTopic(topic: string): boolean {
  const [first, room = '', part, ...more] = topic.split('.')
  return first === 'rooms' && isName(room) && ROOM_PARTS.has(part) && more.length === 0
}

/** Whether a topic to subscribe to holds a wildcard; a `*` within a word is an ordinary character. */
export function isTopicPattern(topic: string): boolean {
  return WILDCARD_WORD.test(topic)
}

/**
 * RabbitMQ's topic patterns: words between dots, `*` is one word, `#` is any number of words, none
 * included (`a.#` matches `a`). Words may be empty: `a.*.b` matches `a..b`.
 * @returns whether a topic matches; time at most proportional to words of pattern times words of topic
 */
export function compileTopicPattern(pattern: string): (topic: string) => boolean {
  if (!isTopicPattern(pattern)) return (topic) => topic === pattern
  const words = pattern.split('.')
  const literal = words.slice(
    0,
    words.findIndex((word) => word === '*' || word === '#'),
  )
  const prefix = literal.join('.')
  return (topic) => topic.startsWith(prefix) && matches(words, topic.split('.'))
}

function matches(pattern: readonly string[], topic: readonly string[]): boolean {
  let p = 0
  let t = 0
  // The last `#` seen and the first topic word it does not cover yet: where to go on after a mismatch.
  let hash = -1
  let covered = 0
  while (t < topic.length) {
    if (pattern[p] === '#') {
      hash = p++
      covered = t
    } else if (pattern[p] === '*' || pattern[p] === topic[t]) {
      p++
      t++
    } else if (hash >= 0) {
      p = hash + 1
      t = ++covered
    } else {
      return false
    }
  }
  while (pattern[p] === '#') p++
  return p === pattern.length
}
