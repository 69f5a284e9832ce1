import { WebSocket } from 'ws'
import { Decoder } from '../../protocol/decoder.ts'
import { encodeFrame } from '../../protocol/encoder.ts'
import { header, SERVER_COMMANDS, type ClientCommand, type Frame } from '../../protocol/frame.ts'
import type { Version } from '../../protocol/version.ts'
import type { Witness } from './witness.ts'
import { within } from '../../src/lib/within.ts'

/** How long a test waits for what must come, milliseconds: generous, since machines are shared. */
const PATIENCE_MS = 60_000

const LIMITS = { frameBytes: 16_777_216, headers: 1000, headerBytes: 1_048_576 }

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

export interface Closed {
  readonly code: number
  readonly reason: string
}

/** A STOMP client for tests: it sends what it is told to, right or wrong, and keeps what comes. */
export class StompClient {
  readonly webSocket: WebSocket
  readonly closed: Promise<Closed>
  /** Everything received so far that no `next` has taken. */
  readonly inbox: Frame[] = []
  heartBeats = 0
  version: Version
  readonly #decoder: Decoder
  #isBinary: boolean[] = []
  #wake: (() => void)[] = []

  /** Sees all that clients of this process send and get. */
  static witness: Witness | undefined

  private constructor(webSocket: WebSocket, version: Version) {
    this.webSocket = webSocket
    this.version = version
    this.#decoder = new Decoder({
      limits: LIMITS,
      commands: SERVER_COMMANDS,
      sink: {
        onFrame: (frame) => {
          witnessMessage(frame)
          this.inbox.push(frame)
        },
        onHeartBeat: () => this.heartBeats++,
      },
    })
    this.#decoder.version = version
    webSocket.on('message', (data: Buffer, isBinary) => {
      this.#isBinary.push(isBinary)
      this.#decoder.decode(data)
      this.#notify()
    })
    this.closed = new Promise((resolve) => {
      webSocket.on('close', (code, reason) => {
        resolve({ code, reason: reason.toString() })
        this.#notify()
      })
    })
  }

  /** Opens a WebSocket and sends nothing. */
  static async open(
    t: Teardown,
    url: string,
    options: { version?: Version; protocols?: string[]; headers?: Record<string, string> } = {},
  ): Promise<StompClient> {
    const webSocket = new WebSocket(url, options.protocols ?? ['v12.stomp'], {
      ...(options.headers !== undefined && { headers: options.headers }),
    })
    t.teardown(() => webSocket.terminate())
    const client = new StompClient(webSocket, options.version ?? '1.2')
    await new Promise<void>((resolve, reject) => {
      webSocket.once('open', resolve)
      webSocket.once('error', reject)
    })
    webSocket.on('error', () => {
      // The close that follows tells the test.
    })
    return client
  }

  /** Opens a WebSocket and connects with login and passcode. */
  static async connect(
    t: Teardown,
    url: string,
    account: { login: string; passcode?: string; version?: Version; headers?: readonly string[] },
  ): Promise<StompClient> {
    const { login, passcode = login, version = '1.2', headers = [] } = account
    const client = await StompClient.open(t, url, { version })
    client.send('CONNECT', ['accept-version', version, 'login', login, 'passcode', passcode, ...headers])
    await client.next('CONNECTED')
    return client
  }

  send(command: ClientCommand, headers: readonly string[] = [], body?: string | Uint8Array): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    if (command === 'SEND') StompClient.witness?.sent(header(headers, 'destination') ?? '', String(body))
    this.sendRaw(encodeFrame(command, headers, bytes, this.version))
  }

  sendRaw(bytes: string | Uint8Array): void {
    this.webSocket.send(bytes)
  }

  /** Sends a frame with a receipt and waits for it. */
  async ask(command: ClientCommand, headers: readonly string[] = [], body?: string): Promise<Frame> {
    const receipt = `ask-${Math.random().toString(36).slice(2)}`
    this.send(command, [...headers, 'receipt', receipt], body)
    return this.next('RECEIPT', (frame) => header(frame.headers, 'receipt-id') === receipt)
  }

  async subscribe(id: string, destination: string, headers: readonly string[] = []): Promise<void> {
    await this.ask('SUBSCRIBE', ['id', id, 'destination', destination, ...headers])
  }

  /** Takes the first frame, received or to come, that fits. Rejects when the socket closes before. */
  async next(command: Frame['command'], fits: (frame: Frame) => boolean = () => true): Promise<Frame> {
    const search = async (): Promise<Frame> => {
      for (;;) {
        const i = this.inbox.findIndex((frame) => frame.command === command && fits(frame))
        const [found] = i < 0 ? [] : this.inbox.splice(i, 1)
        if (found !== undefined) return found
        if (this.webSocket.readyState === WebSocket.CLOSED)
          throw new Error(`closed before ${command}; ${this.#seen()}`)
        await new Promise<void>((resolve) => this.#wake.push(resolve))
      }
    }
    return within(search(), PATIENCE_MS, () => new Error(`no ${command}; ${this.#seen()}`))
  }

  /** As `next`, for the JSON of a MESSAGE of one subscription. */
  async message(subscription: string): Promise<{ frame: Frame; payload: Record<string, unknown> }> {
    const frame = await this.next(
      'MESSAGE',
      ({ headers }) => header(headers, 'subscription') === subscription,
    )
    return { frame, payload: JSON.parse(Buffer.from(frame.body).toString()) as Record<string, unknown> }
  }

  /** Waits until something holds of what was received. */
  async until(holds: () => boolean): Promise<void> {
    const wait = async (): Promise<void> => {
      while (!holds()) await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
    await within(wait(), PATIENCE_MS, () => new Error(`it never came true; ${this.#seen()}`))
  }

  /** Whether the last WebSocket message was binary. */
  get wasBinary(): boolean {
    return this.#isBinary.at(-1) ?? false
  }

  async close(): Promise<Closed> {
    this.webSocket.close()
    return this.closed
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = []
    for (const resolve of wake) resolve()
  }

  #seen(): string {
    const frames = this.inbox.map(({ command, headers }) => `${command} ${headers.join(' ')}`)
    return `seen: ${frames.join(' | ') || 'nothing'}`
  }
}

function witnessMessage({ command, headers, body }: Frame): void {
  if (command !== 'MESSAGE') return
  StompClient.witness?.received(header(headers, 'destination') ?? '', Buffer.from(body).toString())
}
