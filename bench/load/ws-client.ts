import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { clientFrame, pongFrame } from './ws-frame.ts'
import { WsReader } from './ws-reader.ts'

export interface WsEndpoint {
  readonly host: string
  readonly port: number
  readonly path: string
  /** WebSocket sub-protocol to ask for. */
  readonly protocol?: string
  /** Address to connect from; by default the system's choice. */
  readonly localAddress?: string
  /** `Sec-WebSocket-Extensions` to ask for. What comes back is read as if there were none. */
  readonly extensions?: string
}

export interface WsClientSink {
  onOpen(): void
  /** `bytes` is valid during the call only. */
  onMessage(bytes: Buffer, start: number, end: number): void
  /** One read from the socket has been dealt with. */
  onRead(bytes: number): void
  /** The connection is over, whoever ended it. Called once. */
  onEnd(reason: string): void
}

// The callbacks of `onread` are synchronous, so all sockets of the process can read into one buffer.
const READ_BUFFER = Buffer.allocUnsafeSlow(262_144)
const MAX_HANDSHAKE_BYTES = 16_384

/** A WebSocket client that costs as little as it can. No TLS. */
export class WsClient {
  readonly #sink: WsClientSink
  readonly #socket: Socket
  readonly #reader: WsReader
  #handshake: Buffer | undefined = Buffer.alloc(0)
  #hasEnded = false

  constructor(endpoint: WsEndpoint, sink: WsClientSink) {
    this.#sink = sink
    this.#reader = new WsReader({
      onMessage: (bytes, start, end) => sink.onMessage(bytes, start, end),
      onPing: (payload) => this.#socket.write(pongFrame(payload)),
      onClose: (code, reason) => this.#end(`closed by the server with ${code} ${reason}`),
    })
    const onread = { buffer: READ_BUFFER, callback: (count: number) => this.#onRead(count) }
    const { host, port, localAddress } = endpoint
    const from = localAddress === undefined ? {} : { localAddress }
    this.#socket = connect({ host, port, ...from, noDelay: true, onread })
    this.#socket.on('error', (error) => this.#end(error.message))
    this.#socket.on('close', () => this.#end('the connection was cut'))
    this.#socket.write(upgradeRequest(endpoint))
  }

  send(text: string): void {
    this.#socket.write(clientFrame(Buffer.from(text)))
  }

  /** Writes frames that `clientFrame` made. */
  sendFrames(frames: readonly Buffer[]): void {
    this.#socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames))
  }

  /** Reads nothing more, so that the server finds out what it does then. */
  stopReading(): void {
    this.#socket.pause()
  }

  /** Resolves when what was written has left this process, or cannot any more; a turn later at the earliest. */
  async drained(): Promise<void> {
    if (!this.#socket.writableNeedDrain || this.#socket.destroyed) return turn()
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done)
        this.#socket.off('close', done)
        resolve()
      }
      this.#socket.on('drain', done)
      this.#socket.on('close', done)
    })
  }

  destroy(): void {
    this.#hasEnded = true
    this.#socket.destroy()
  }

  #onRead(count: number): boolean {
    try {
      const chunk = READ_BUFFER.subarray(0, count)
      if (this.#handshake === undefined) this.#reader.push(chunk)
      else this.#readHandshake(this.#handshake, chunk)
      if (!this.#hasEnded) this.#sink.onRead(count)
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error))
    }
    return true
  }

  #readHandshake(before: Buffer, chunk: Buffer): void {
    const bytes = Buffer.concat([before, chunk])
    const end = bytes.indexOf('\r\n\r\n')
    if (end === -1 && bytes.length <= MAX_HANDSHAKE_BYTES) {
      this.#handshake = bytes
      return
    }
    const statusLine = bytes.toString('latin1', 0, Math.max(0, bytes.indexOf('\r\n')))
    if (end === -1 || !statusLine.startsWith('HTTP/1.1 101')) {
      this.#end(`the upgrade was answered by: ${statusLine}`)
      return
    }
    this.#handshake = undefined
    this.#sink.onOpen()
    if (bytes.length > end + 4) this.#reader.push(bytes.subarray(end + 4))
  }

  #end(reason: string): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#socket.destroy()
    this.#sink.onEnd(reason)
  }
}

function upgradeRequest(endpoint: WsEndpoint): string {
  const lines = [
    `GET ${endpoint.path} HTTP/1.1`,
    `Host: ${endpoint.host}:${endpoint.port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Version: 13',
  ]
  if (endpoint.extensions !== undefined) lines.push(`Sec-WebSocket-Extensions: ${endpoint.extensions}`)
  if (endpoint.protocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${endpoint.protocol}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}
