import { once } from 'node:events'
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import { within } from '../../src/lib/within.ts'
import { Deviation } from './deviation.ts'
import { rawHeader, wireBytes, WireReader, type WireFrame } from './wire.ts'

/** How long what must come may take, milliseconds: generous, since machines are shared. */
const PATIENCE_MS = 60_000

/** What carries the bytes. */
interface Line {
  /** The sub-protocol that the server chose, or ''. */
  readonly protocol: string
  send(data: Buffer, isText: boolean): void
  terminate(): void
}

/** A client that writes what it is told to, right or wrong, and keeps what comes. */
export class Peer {
  /** What no `next` has taken. */
  readonly inbox: WireFrame[] = []
  /** Line feeds between frames. RabbitMQ ends each frame with one, too. */
  beats = 0
  /** Set once the WebSocket is closed; over TCP 0. */
  closeCode: number | undefined
  readonly #line: Line
  readonly #reader = new WireReader({
    onFrame: (frame) => void this.inbox.push(frame),
    onBeat: () => void this.beats++,
  })
  #wake: (() => void)[] = []

  private constructor(line: Line) {
    this.#line = line
  }

  /** Opens a WebSocket and sends nothing. */
  static async open(url: string, protocols: readonly string[]): Promise<Peer> {
    const webSocket = new WebSocket(url, [...protocols], { perMessageDeflate: false })
    const peer = new Peer({
      get protocol() {
        return webSocket.protocol
      },
      send: (data, isText) => webSocket.send(data, { binary: !isText }),
      terminate: () => webSocket.terminate(),
    })
    webSocket.on('message', (data: Buffer) => peer.#read(data))
    // The close that follows tells.
    webSocket.on('error', () => undefined)
    webSocket.on('close', (code) => peer.#close(code))
    await within(
      new Promise<void>((resolve, reject) => {
        webSocket.once('open', resolve)
        webSocket.once('error', reject)
      }),
      PATIENCE_MS,
      () => new Error(`${url} does not answer`),
    )
    return peer
  }

  /** The same over TCP. */
  static async openTcp(host: string, port: number): Promise<Peer> {
    const socket = connect({ host, port, noDelay: true })
    const send = (data: Buffer): void => void socket.write(data)
    const peer = new Peer({ protocol: '', send, terminate: () => socket.destroy() })
    socket.on('data', (data) => peer.#read(data))
    socket.on('error', () => undefined)
    socket.on('close', () => peer.#close(0))
    await once(socket, 'connect')
    return peer
  }

  /** The sub-protocol that the server chose, or ''. */
  get protocol(): string {
    return this.#line.protocol
  }

  send(command: string, headers: readonly string[] = [], body?: string | Uint8Array): void {
    this.write(wireBytes(command, headers, body))
  }

  /** One WebSocket message: text, unless told otherwise or the bytes are not UTF-8. */
  write(bytes: string | Uint8Array, options: { binary?: boolean } = {}): void {
    const data = Buffer.from(bytes)
    const isText = options.binary !== true && data.equals(Buffer.from(data.toString()))
    this.#line.send(data, isText)
  }

  /** Waits until `look` finds something. Rejects when the socket closes before, or in the end. */
  async until<T>(look: () => T | undefined, what: string): Promise<T> {
    const search = async (): Promise<T> => {
      for (;;) {
        const found = look()
        if (found !== undefined) return found
        if (this.closeCode !== undefined)
          throw new Deviation(`closed with ${this.closeCode} instead of ${what}`)
        await new Promise<void>((resolve) => this.#wake.push(resolve))
      }
    }
    return within(search(), PATIENCE_MS, () => new Deviation(`no ${what}`))
  }

  /** Takes the first frame that fits. An ERROR that nobody asked for ends the wait. */
  async next(command: string, fits: (frame: WireFrame) => boolean = () => true): Promise<WireFrame> {
    return this.until(() => {
      const found = this.take(command, fits)
      if (found === undefined && command !== 'ERROR') this.#assertNoError(command)
      return found
    }, command)
  }

  take(command: string, fits: (frame: WireFrame) => boolean = () => true): WireFrame | undefined {
    const at = this.inbox.findIndex((frame) => frame.command === command && fits(frame))
    return at < 0 ? undefined : this.inbox.splice(at, 1)[0]
  }

  async receipt(id: string): Promise<WireFrame> {
    return this.next('RECEIPT', (frame) => rawHeader(frame, 'receipt-id') === id)
  }

  /** The next message, of one subscription where an id is given. */
  async message(subscription?: string): Promise<WireFrame> {
    return this.next(
      'MESSAGE',
      (frame) => subscription === undefined || rawHeader(frame, 'subscription') === subscription,
    )
  }

  async closed(): Promise<number> {
    return this.until(() => this.closeCode, 'a close')
  }

  /** Ends the connection without a word. */
  terminate(): void {
    this.#line.terminate()
  }

  #read(data: Buffer): void {
    this.#reader.read(data)
    this.#notify()
  }

  #close(code: number): void {
    this.closeCode = code
    this.#notify()
  }

  #assertNoError(wanted: string): void {
    const error = this.inbox.find((frame) => frame.command === 'ERROR')
    if (error !== undefined) {
      throw new Deviation(`ERROR "${rawHeader(error, 'message')}" instead of ${wanted}`)
    }
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = []
    for (const resolve of wake) resolve()
  }
}
