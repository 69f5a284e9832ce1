import { violation } from './errors.ts'

/** What one side can do and what it wants (STOMP 1.2, "Heart-beating"). 0 is never. */
export interface HeartBeat {
  /** It can write at least this often. */
  readonly sendMs: number
  /** It would like to hear at least this often. */
  readonly receiveMs: number
}

/** The longest delay that timers take; a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1

/**
 * A `heart-beat` header, from its sender's point of view. None means `0,0`.
 * @throws ProtocolViolation `bad-heart-beat` unless it is two plain decimal numbers up to 2147483647
 */
export function parseHeartBeat(value: string | undefined): HeartBeat {
  if (value === undefined) return { sendMs: 0, receiveMs: 0 }
  const [, send, receive] = /^([0-9]{1,10}),([0-9]{1,10})$/.exec(value) ?? []
  const heartBeat = { sendMs: Number(send), receiveMs: Number(receive) }
  if (heartBeat.sendMs <= MAX_DELAY_MS && heartBeat.receiveMs <= MAX_DELAY_MS) return heartBeat
  throw violation('bad-heart-beat')
}

/** The agreement from our point of view: per direction the slower of the two wishes, or 0 where one says 0. */
export function negotiateHeartBeat(ours: HeartBeat, theirs: HeartBeat): HeartBeat {
  return {
    sendMs: agreed(ours.sendMs, theirs.receiveMs),
    receiveMs: agreed(ours.receiveMs, theirs.sendMs),
  }
}

function agreed(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : Math.max(a, b)
}
