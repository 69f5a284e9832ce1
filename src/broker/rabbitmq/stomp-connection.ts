import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Decoder, type DecoderLimits } from '../../../protocol/decoder.ts'
import { encodeFrame, HEART_BEAT } from '../../../protocol/encoder.ts'
import { type Frame, header, type HeaderList, SERVER_COMMANDS } from '../../../protocol/frame.ts'
import type { BrokerUrl } from '../../config/broker-url.ts'
import { deferred } from '../../lib/deferred.ts'
import { Drain } from '../../lib/drain.ts'
import type { Host } from './host-order.ts'
import type { Connected } from './link.ts'

export interface StompOptions {
  readonly url: BrokerUrl
  readonly connectTimeoutMs: number
  readonly heartBeatMs: number
  /** Called synchronously for every frame after CONNECTED, all frames of one read in one go. */
  onFrame(frame: Frame): void
}

/** More than RabbitMQ accepts from anybody: what it delivers must not end the link, which would come back to it. */
const LIMITS: DecoderLimits = {
  frameBytes: 512 * 1024 * 1024,
  headers: 20_000,
  headerBytes: 64 * 1024 * 1024,
}

/** Silence of this many heart-beat intervals ends the link. RabbitMQ sends two in each. */
const SILENT_INTERVALS = 2

/**
 * A STOMP 1.2 client connection to the broker's TCP port, with heart-beats. What frames mean is the
 * caller's business: the inbox and client sessions read errors and receipts differently.
 */
export class StompConnection implements Connected {
  readonly closed: Promise<Error | undefined>
  readonly #socket: Socket
  readonly #drain: Drain
  readonly #options: StompOptions
  readonly #closed = deferred<Error | undefined>()
  readonly #connected = deferred()
  #isOpen = false
  #isDestroyed = false
  #isPaused = false
  #cause: Error | undefined
  #timers: NodeJS.Timeout[] = []
  #heardAt = 0

  private constructor(socket: Socket, options: StompOptions) {
    this.#socket = socket
    this.#drain = new Drain(socket)
    this.#options = options
    this.closed = this.#closed.promise
    const decoder = new Decoder({
      limits: LIMITS,
      commands: SERVER_COMMANDS,
      isLenient: true,
      sink: { onFrame: (frame) => this.#onFrame(frame), onHeartBeat: () => undefined },
    })
    socket.on('error', (error) => this.#end(error))
    socket.on('close', () => this.#end(new Error('the broker closed the connection')))
    socket.on('end', () => socket.destroy())
    socket.on('data', (chunk) => {
      this.#heardAt = performance.now()
      try {
        decoder.decode(chunk)
      } catch (error) {
        this.#end(error instanceof Error ? error : new Error(String(error)))
      }
    })
  }

  /** @throws Error where the broker does not answer in time, or refuses */
  static async open(host: Host, options: StompOptions, signal: AbortSignal): Promise<StompConnection> {
    signal.throwIfAborted()
    const { url } = options
    const where = { host: host.host, port: host.port, noDelay: true, keepAlive: true }
    const socket = url.isTls ? connectTls({ ...where, servername: host.host }) : connectTcp(where)
    const connection = new StompConnection(socket, options)
    const cancel = (): void => connection.#end(new Error('given up'))
    signal.addEventListener('abort', cancel, { once: true })
    const timer = setTimeout(() => connection.#end(new Error('connect timed out')), options.connectTimeoutMs)
    try {
      socket.write(connectFrame(url, options.heartBeatMs))
      await connection.#connected.promise
      return connection
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', cancel)
    }
  }

  /** Hands a frame to the socket; nothing happens once the connection is over. */
  send(command: Frame['command'], headers: HeaderList, body?: Uint8Array): void {
    if (!this.#isDestroyed) this.#socket.write(encodeFrame(command, headers, body, '1.2'))
  }

  get isOpen(): boolean {
    return !this.#isDestroyed
  }

  /** Bytes that wait for the broker to read them. */
  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  /** Reads nothing, heart-beats included, until `resume`: the kernel's buffers, then the broker, hold it. */
  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#heardAt = performance.now()
    this.#socket.resume()
  }

  /** Resolves when the kernel has taken what was sent, or the connection is over; undefined where little waits. */
  drained(): Promise<void> | undefined {
    return this.#isDestroyed ? undefined : this.#drain.room()
  }

  destroy(): void {
    this.#end(undefined)
  }

  #onFrame(frame: Frame): void {
    if (this.#isDestroyed) return
    if (this.#isOpen) {
      this.#options.onFrame(frame)
    } else if (frame.command === 'CONNECTED') {
      this.#isOpen = true
      this.#startHeartBeats(header(frame.headers, 'heart-beat') ?? '0,0')
      this.#connected.resolve()
    } else {
      this.#end(new Error(errorText(frame)))
    }
  }

  #startHeartBeats(answer: string): void {
    const [brokerSends = 0, brokerExpects = 0] = answer.split(',').map(Number)
    if (brokerExpects > 0) {
      this.#timers.push(setInterval(() => this.#socket.write(HEART_BEAT), brokerExpects / 2))
    }
    if (brokerSends > 0) {
      const check = (): void => {
        const isSilent = !this.#isPaused && performance.now() - this.#heardAt > brokerSends * SILENT_INTERVALS
        if (isSilent) this.#end(new Error('no heart-beat from the broker'))
      }
      this.#timers.push(setInterval(check, brokerSends))
    }
  }

  #end(cause: Error | undefined): void {
    if (this.#isDestroyed) return
    this.#isDestroyed = true
    this.#cause = cause
    for (const timer of this.#timers) clearInterval(timer)
    this.#timers = []
    this.#socket.destroy()
    this.#connected.promise.catch(() => undefined)
    this.#connected.reject(cause ?? new Error('closed'))
    this.#closed.resolve(this.#cause)
  }
}

/** The text of an ERROR: its `message`, and RabbitMQ's reason in the body. */
export function errorText(frame: Frame): string {
  const message = header(frame.headers, 'message') ?? frame.command
  const detail = new TextDecoder().decode(frame.body.subarray(0, 500)).trim()
  return detail === '' ? message : `${message}: ${detail}`
}

function connectFrame(url: BrokerUrl, heartBeatMs: number): Uint8Array {
  const headers = [
    ['accept-version', '1.2'],
    ['host', url.vhost],
    ['login', url.user],
    ['passcode', url.password],
    ['heart-beat', `${heartBeatMs},${heartBeatMs}`],
  ].flatMap(([name = '', value = '']) => [name, escaped(value)])
  return encodeFrame('CONNECT', headers, undefined, '1.2')
}

/** STOMP 1.2 does not escape CONNECT ("Value Encoding"), RabbitMQ unescapes it all the same. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll(':', '\\c')
}
