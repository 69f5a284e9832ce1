import type { CloseCode } from '../../protocol/close-codes.ts'
import type { EncodedBatch, EncodedFrame } from '../fanout/encoded-batch.ts'
import type { UpgradeCredentials } from '../inbound/call.ts'

// What a transport handles, named here because it sees no further than the session.
export type { EncodedBatch, EncodedFrame, UpgradeCredentials }

/**
 * What a session needs of whatever carries it. The session owns this interface; `connection/`
 * implements it over WebSocket. No method throws, and after `close` all of them do nothing.
 */
export interface SessionTransport {
  /** For the log and for limits: address of the peer. */
  readonly remoteAddress: string
  /** Sends one frame. Frames leave in the order of calls, batches included, in one write a turn. */
  send(frame: EncodedFrame): void
  /** Sends what the hub encoded for several subscribers at once. */
  deliver(batch: EncodedBatch): void
  /** A promise where the client has to read before it is sent more, for what need not be sent at once. */
  room(): Promise<void> | undefined
  /**
   * Begins heart-beats (STOMP 1.2, "Heart-beating").
   * @param sendMs how often we write at least; 0 is never
   * @param receiveMs how often the client has promised to; 0 is never
   */
  startHeartBeat(sendMs: number, receiveMs: number): void
  /** Stops reading: the kernel's buffers, then the client, hold what comes. Calls do not nest. */
  pause(): void
  resume(): void
  /** Sends what waits, then closes. The first call counts. */
  close(code: CloseCode, reason: string): void
}
