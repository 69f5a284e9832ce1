import type { HeaderList } from './frame.ts'

/**
 * Headers of a client's SEND that subscribers must not see, or must not take for the relay's word.
 * RabbitMQ would pass on every one of them that it does not use itself.
 */
export const RESERVED_SEND_HEADERS: ReadonlySet<string> = new Set([
  // Addressed to the server: the subscriber's frame has its own, or they are nobody else's business.
  'destination',
  'receipt',
  'receipt-id',
  'transaction',
  'content-length',
  'persistent',
  // The server's to set on a MESSAGE.
  'subscription',
  'message-id',
  'id',
  'ack',
  'redelivered',
  'event-id',
  'recovered',
  'user-id',
  'user-name',
  'session',
  // Credentials, which some clients put on every frame.
  'login',
  'passcode',
  'authorization',
  'cookie',
  'x-csrf-token',
  'x-xsrf-token',
  // Spring's internal vocabulary: a Spring application behind the same broker would believe it.
  'nativeheaders',
  'stompcommand',
  'lookupdestination',
])

const SPRING_INTERNAL = /^simp[A-Z]/

/** What of a client's SEND may reach subscribers. Names count as reserved in any case of letters. */
export function publishableHeaders(headers: HeaderList): HeaderList {
  let isName = false
  let isKept = false
  return headers.filter((part) => {
    isName = !isName
    if (isName) isKept = !isReserved(part)
    return isKept
  })
}

function isReserved(name: string): boolean {
  const lower = name.toLowerCase()
  return RESERVED_SEND_HEADERS.has(lower) || lower.startsWith('x-relay-') || SPRING_INTERNAL.test(name)
}
