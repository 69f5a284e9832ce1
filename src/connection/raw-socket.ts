import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'

/**
 * The TCP or TLS socket under a WebSocket, which ws does not type. Frames prepared elsewhere are
 * written to it directly: that halves the cost of a delivery, and is sound as long as compression is
 * off, because ws then writes each of its own frames in one go.
 */
export function rawSocket(webSocket: WebSocket): Socket {
  const socket: unknown = Reflect.get(webSocket, '_socket')
  if (!isSocket(socket)) throw new TypeError('ws no longer keeps its socket in _socket')
  return socket
}

/**
 * Bounds the messages that ws puts together for this one socket from now on, in bytes; beyond it ws
 * closes with 1009. ws itself only knows one bound for a whole server.
 */
export function limitMessageBytes(webSocket: WebSocket, bytes: number): void {
  const receiver: unknown = Reflect.get(webSocket, '_receiver')
  if (typeof receiver !== 'object' || receiver === null || !('_maxPayload' in receiver)) {
    throw new TypeError('ws no longer keeps its bound in _receiver._maxPayload')
  }
  Reflect.set(receiver, '_maxPayload', bytes)
}

function isSocket(value: unknown): value is Socket {
  return typeof value === 'object' && value !== null && 'write' in value && 'writableLength' in value
}
