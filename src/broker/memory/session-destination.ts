import { MessageError } from '../../errors.ts'

/** Where a client's SEND goes, or its SUBSCRIBE reads from, in a session of its own. */
export type SessionDestination =
  | { readonly kind: 'topic'; readonly topic: string }
  /** `mustExist`: not declared by use, as RabbitMQ has it for `/amq/queue` and `/reply-queue`. */
  | { readonly kind: 'queue'; readonly queue: string; readonly mustExist: boolean }

const REPLY_QUEUE = '/reply-queue/'
const KINDS: readonly (readonly [prefix: string, parse: (name: string) => SessionDestination])[] = [
  ['/topic/', topic],
  ['/exchange/amq.topic/', topic],
  ['/queue/', (queue) => ({ kind: 'queue', queue: ownName(queue), mustExist: false })],
  ['/amq/queue/', (queue) => ({ kind: 'queue', queue: name(queue), mustExist: true })],
  [REPLY_QUEUE, (queue) => ({ kind: 'queue', queue: name(queue), mustExist: true })],
]

/**
 * Reads a destination as RabbitMQ's STOMP plugin does (its guide, "Destinations"), as far as the
 * in-process broker goes.
 * @throws MessageError `unknown-destination`, `invalid-destination`
 */
export function parseSessionDestination(destination: string): SessionDestination {
  for (const [prefix, parse] of KINDS) {
    if (destination.startsWith(prefix)) return parse(destination.slice(prefix.length))
  }
  throw new MessageError('unknown-destination', 'the in-process broker has no such destination')
}

export function topicDestination(topicName: string): string {
  return `/topic/${topicName.replaceAll('/', '%2F')}`
}

export function queueDestination(queue: string): string {
  return `/queue/${queue.replaceAll('/', '%2F')}`
}

export function replyDestination(queue: string): string {
  return REPLY_QUEUE + queue
}

function topic(text: string): SessionDestination {
  return { kind: 'topic', topic: name(text) }
}

/** A slash separates parts; within a name it is written `%2F`, and nothing else is decoded. */
function name(text: string): string {
  if (text === '' || text.includes('/')) throw new MessageError('invalid-destination', 'not a valid name')
  return text.replaceAll(/%2f/gi, '/')
}

function ownName(text: string): string {
  if (text.startsWith('amq.')) throw new MessageError('invalid-destination', 'names in amq. are reserved')
  return name(text)
}
