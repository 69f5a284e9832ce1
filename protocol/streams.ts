import { isName } from './destination.ts'

const FIXED_TOPICS = new Set(['messages', 'broadcasts', 'orders'])
/** Queues of a user whose events are stored; `errors` is for one session and is not. */
const USER_STREAMS = new Set(['messages', 'notifications', 'orders', 'operations', 'receipts'])

/**
 * The name of the stream in which a topic's events are stored, which is its destination, or undefined
 * where nothing is stored: topics of the clients' own, and patterns.
 */
export function streamOfTopic(topic: string): string | undefined {
  return isStreamTopic(topic.split('.')) ? `/topic/${topic}` : undefined
}

function isStreamTopic([first = '', name, last, ...more]: readonly string[]): boolean {
  if (name === undefined) return FIXED_TOPICS.has(first)
  if (!isName(name) || more.length > 0) return false
  if (first === 'rooms') return last === undefined || last === 'read'
  return first === 'orders' && last === undefined
}

/** Likewise for a queue of a user, as the user subscribes to it: `/user/queue/…`. */
export function streamOfUser(user: string, destination: string): string | undefined {
  const queue = destination.startsWith('/user/queue/') ? destination.slice('/user/queue/'.length) : ''
  return USER_STREAMS.has(queue) ? `/user/${user}/queue/${queue}` : undefined
}
