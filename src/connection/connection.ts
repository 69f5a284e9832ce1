import { randomUUID } from 'node:crypto'
import type { RawData, WebSocket } from 'ws'
import { CLOSE, type CloseCode } from '../../protocol/close-codes.ts'
import { Decoder, type DecoderLimits } from '../../protocol/decoder.ts'
import { HEART_BEAT } from '../../protocol/encoder.ts'
import { ProtocolViolation, violation } from '../../protocol/errors.ts'
import { CLIENT_COMMANDS, type ClientCommand } from '../../protocol/frame.ts'
import { Session } from '../session/session.ts'
import type { SessionServices } from '../session/session-services.ts'
import type {
  EncodedBatch,
  EncodedFrame,
  SessionTransport,
  UpgradeCredentials,
} from '../session/transport.ts'
import { deferred } from '../lib/deferred.ts'
import { Outbox, type OutboxLimits, type Turn } from '../lib/outbox.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { FrameClock } from './frame-clock.ts'
import { HeartBeat } from './heart-beat.ts'
import { limitMessageBytes, partOfMessage, rawSocket } from './raw-socket.ts'
import { Surplus } from './surplus.ts'
import { renderWebSocketFrames } from './web-socket-frames.ts'

/** Bytes a client may send before it is connected (CONTRACT, section 3). */
export const PRE_AUTHENTICATION_BYTES = 16_384

/** How long a peer may take to answer our close frame before the socket is cut, milliseconds. */
const CLOSE_TIMEOUT_MS = 5000

/**
 * How long nothing is read of a peer whose message ws refused, milliseconds: it hears why meanwhile, and we do
 * not read what it still sends, which may be more than all others do, to throw it away.
 */
const REFUSED_REST_MS = 100

export interface ConnectionServices {
  readonly session: SessionServices
  readonly turn: Turn
  readonly metrics: Metrics
  readonly log: Log
  readonly limits: {
    readonly decoder: DecoderLimits
    readonly outbox: OutboxLimits
    /** Until CONNECTED, milliseconds. */
    readonly connectMs: number
    /** From the first byte of a frame to its last, and of a WebSocket message likewise, milliseconds. */
    readonly frameMs: number
  }
}

export interface ConnectionPeer {
  readonly remoteAddress: string
  readonly upgrade: UpgradeCredentials
  /** Called when the client is CONNECTED. */
  readonly onConnected: () => void
}

/**
 * Bytes of one WebSocket message: above the frame limit, so that ERROR can still be said about a frame
 * that is too large, and roomy enough for several frames in one message.
 */
export function maxMessageBytes(limits: DecoderLimits): number {
  return limits.frameBytes * 4
}

/** One WebSocket that carries one STOMP session: bytes to frames on the way in, frames to bytes on the way out. */
export class Connection implements SessionTransport {
  readonly remoteAddress: string
  readonly session: Session
  /** Resolves when the socket is gone and the session has given everything back. */
  readonly closed: Promise<void>
  readonly #outbox: Outbox
  readonly #webSocket: WebSocket
  readonly #services: ConnectionServices
  readonly #decoder: Decoder<ClientCommand>
  readonly #heartBeat: HeartBeat
  readonly #surplus: Surplus
  readonly #connectTimer: NodeJS.Timeout
  readonly #onConnected: () => void
  readonly #hasPartOfMessage: () => boolean
  readonly #messageClock: FrameClock
  readonly #frameClock: FrameClock
  #bytesBeforeConnected = 0
  #isClosing = false

  constructor(webSocket: WebSocket, services: ConnectionServices, peer: ConnectionPeer) {
    this.#webSocket = webSocket
    this.#services = services
    this.remoteAddress = peer.remoteAddress
    this.#onConnected = peer.onConnected
    this.#hasPartOfMessage = partOfMessage(webSocket)
    this.#messageClock = new FrameClock(services.limits.frameMs)
    this.#frameClock = new FrameClock(services.limits.frameMs)
    this.#surplus = new Surplus(maxMessageBytes(services.limits.decoder))
    this.#outbox = new Outbox({
      socket: rawSocket(webSocket),
      limits: services.limits.outbox,
      turn: services.turn,
      onTooSlow: () => this.#closeTooSlow(),
    })
    this.session = new Session(services.session, this, peer.upgrade)
    this.#heartBeat = new HeartBeat({
      beat: () => this.#write({ bytes: HEART_BEAT, isText: true }),
      missed: () => this.session.violate(violation('heart-beat-missed')),
    })
    this.#decoder = new Decoder({
      limits: services.limits.decoder,
      commands: CLIENT_COMMANDS,
      sink: {
        onFrame: (frame) => {
          this.#frameClock.whole()
          if (this.#webSocket.isPaused && this.#surplus.addFrame())
            this.session.violate(violation('too-much-at-once'))
          else this.session.receive(frame)
          this.#decoder.version = this.session.version
          if (this.#isClosing) this.#decoder.stop()
        },
        onHeartBeat: ignoreHeartBeat,
      },
    })
    this.#connectTimer = setTimeout(() => {
      if (!this.#isConnected) this.session.violate(violation('connect-timeout'))
    }, services.limits.connectMs)
    limitMessageBytes(webSocket, PRE_AUTHENTICATION_BYTES)
    this.closed = this.#listen()
  }

  send(frame: EncodedFrame): void {
    if (!this.#isClosing) this.#write(frame)
  }

  deliver(batch: EncodedBatch): void {
    if (this.#isClosing) return
    this.#services.metrics.hot.framesSent += batch.frames.length
    this.#outbox.add(batch.render(renderWebSocketFrames))
  }

  room(): Promise<void> | undefined {
    return this.#isClosing ? undefined : this.#outbox.room()
  }

  startHeartBeat(sendMs: number, receiveMs: number): void {
    this.#onConnected()
    if (this.#isClosing) return
    // It is connected now, and may send as much as anybody.
    limitMessageBytes(this.#webSocket, maxMessageBytes(this.#services.limits.decoder))
    this.#heartBeat.start(sendMs, receiveMs)
  }

  /**
   * Looks for a frame that does not become whole: a client may send as slowly as it likes, but not hold
   * our memory for it. Called from time to time.
   */
  check(nowMs: number): void {
    if (this.#isClosing) return
    // While we do not read, what is missing is not the client's fault.
    const canHear = !this.#webSocket.isPaused
    const isMessageLate = this.#messageClock.isLate(nowMs, canHear && this.#hasPartOfMessage())
    const isFrameLate = this.#frameClock.isLate(nowMs, canHear && this.#decoder.pendingBytes > 0)
    if (isMessageLate || isFrameLate) this.session.violate(violation('frame-timeout'))
  }

  pause(): void {
    if (this.#isClosing) return
    this.#webSocket.pause()
    this.#heartBeat.suspend(true)
  }

  resume(): void {
    if (this.#isClosing) return
    this.#surplus.clear()
    this.#webSocket.resume()
    this.#heartBeat.suspend(false)
  }

  close(code: CloseCode, reason: string): void {
    if (this.#isClosing) return
    this.#isClosing = true
    this.#heartBeat.stop()
    this.#outbox.flush()
    this.#webSocket.resume()
    // A close reason holds 123 bytes at most (RFC 6455, section 5.5.1).
    this.#webSocket.close(code, Buffer.from(reason).subarray(0, 123).toString().replace(/�+$/, ''))
    setTimeout(() => this.#webSocket.terminate(), CLOSE_TIMEOUT_MS).unref()
  }

  /** The client does not read. ERROR would only join the queue, so the close code alone says it. */
  #closeTooSlow(): void {
    if (this.#isClosing) return
    this.#services.metrics.slowClients.inc()
    this.#services.log.warn(
      { event: 'slow-client', session: this.session.id, unsentBytes: this.#outbox.unsentBytes },
      'client reads too slowly',
    )
    const { closeCode, message } = violation('too-slow')
    this.session.close(closeCode, message)
  }

  get #isConnected(): boolean {
    return this.session.state === 'CONNECTED'
  }

  #listen(): Promise<void> {
    const closed = deferred()
    this.#webSocket.on('message', (data) => this.#receive(data))
    // ws has closed the socket with the right code by then; that it happened is worth a line.
    this.#webSocket.on('error', (error) => {
      this.#services.log.info(
        { event: 'socket-error', session: this.session.id, reason: error.message },
        'WebSocket failed',
      )
      this.session.close(CLOSE.protocolError, 'WebSocket failed')
      this.#rest()
    })
    this.#webSocket.on('close', () => {
      this.#isClosing = true
      clearTimeout(this.#connectTimer)
      this.#heartBeat.stop()
      this.#services.turn.forget(this.#outbox)
      void this.session.end().finally(closed.resolve)
    })
    return closed.promise
  }

  /** After this turn, in which ws itself begins to read again. */
  #rest(): void {
    const socket = rawSocket(this.#webSocket)
    setImmediate(() => socket.pause())
    setTimeout(() => socket.resume(), REFUSED_REST_MS).unref()
  }

  #receive(data: RawData): void {
    if (this.#isClosing) return
    this.#heartBeat.received()
    this.#messageClock.whole()
    const bytes = toBytes(data)
    if (!this.#isConnected && this.#isOverBudget(bytes.byteLength)) return
    if (this.#webSocket.isPaused && this.#surplus.addMessage(bytes.byteLength)) {
      this.session.violate(violation('too-much-at-once'))
      return
    }
    try {
      this.#decoder.decode(bytes)
    } catch (error) {
      this.#broken(error)
    }
  }

  /** What one client sent must never end the process, whatever we got wrong about it. */
  #broken(error: unknown): void {
    if (error instanceof ProtocolViolation) {
      this.session.violate(error)
      return
    }
    const errorId = randomUUID()
    this.#logFault(error, errorId)
    this.session.violate(violation('internal', errorId))
  }

  #logFault(error: unknown, errorId: string): void {
    this.#services.log.error(
      { event: 'connection-fault', errorId, session: this.session.id, err: error },
      'a fault of ours',
    )
  }

  #isOverBudget(byteLength: number): boolean {
    this.#bytesBeforeConnected += byteLength
    if (this.#bytesBeforeConnected <= PRE_AUTHENTICATION_BYTES) return false
    this.session.violate(violation('pre-authentication-budget'))
    return true
  }

  #write(frame: EncodedFrame): void {
    this.#services.metrics.hot.framesSent++
    this.#outbox.add(renderWebSocketFrames([frame]))
  }
}

/** ws gives one Buffer a message unless told otherwise; its type says more. */
function toBytes(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data
}

/** Any bytes at all are a sign of life, so a heart-beat means nothing more. */
function ignoreHeartBeat(): void {
  // Deliberately empty.
}
