import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'

/**
 * The TCP or TLS socket under a WebSocket, which ws does not type. Frames prepared elsewhere are
 * written to it directly: that halves the cost of a delivery, and is sound as long as nothing is sent
 * through ws but its own control frames. Those it writes in one go, also where compression was
 * negotiated, which leaves each side free to send as it is (RFC 7692, section 6).
 */
export function rawSocket(webSocket: WebSocket): Socket {
  const socket: unknown = Reflect.get(webSocket, '_socket')
  if (!isSocket(socket)) throw new TypeError('ws no longer keeps its socket in _socket')
  return socket
}

/**
 * Bounds the messages that ws puts together for this one socket from now on, in bytes, as they are after
 * inflation; beyond it ws closes with 1009. ws itself only knows one bound for a whole server.
 */
export function limitMessageBytes(webSocket: WebSocket, bytes: number): void {
  const receiver = receiverOf(webSocket)
  Reflect.set(receiver, '_maxPayload', bytes)
  const extensions: unknown = Reflect.get(receiver, '_extensions')
  if (!isObject(extensions)) throw new TypeError('ws no longer keeps its extensions in _receiver._extensions')
  const inflater: unknown = Reflect.get(extensions, 'permessage-deflate')
  if (inflater === undefined) return
  if (!isObject(inflater) || !('_maxPayload' in inflater)) {
    throw new TypeError('ws no longer keeps the bound of what it inflates in _maxPayload')
  }
  Reflect.set(inflater, '_maxPayload', bytes)
}

/**
 * Looks for a part of a message of which more has to come, be it a fragment or half a header. What it looks
 * at is found once, since it looks at every connection again and again.
 */
export function partOfMessage(webSocket: WebSocket): () => boolean {
  const receiver = receiverOf(webSocket)
  return () => PARTS.some((field) => Reflect.get(receiver, field) !== 0)
}

/** Bytes that are no whole frame yet, the fragments of an unfinished message, what is read of a frame. */
const PARTS = ['_bufferedBytes', '_fragmented', '_state'] as const

function receiverOf(webSocket: WebSocket): object {
  const receiver: unknown = Reflect.get(webSocket, '_receiver')
  if (!isObject(receiver) || !('_maxPayload' in receiver) || !PARTS.every((field) => field in receiver)) {
    throw new TypeError('ws no longer keeps the state of what it receives in _receiver')
  }
  return receiver
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isSocket(value: unknown): value is Socket {
  return typeof value === 'object' && value !== null && 'write' in value && 'writableLength' in value
}
