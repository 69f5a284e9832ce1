import { connectText, stompText, type ClientPlan, type ConnectHeaders } from './client-plan.ts'
import { StompScanner } from './stomp-scanner.ts'
import { WsClient } from './ws-client.ts'

export interface BenchClientSink {
  /** Connected, and where it subscribes, subscribed for certain. */
  onReady(): void
  /** A body begins at `start`; valid during the call only. */
  onBody(bytes: Buffer, start: number, length: number): void
  onRead(bytes: number): void
  onFailure(reason: string): void
}

/** One client of a contestant, in the dialect of its plan. */
export class BenchClient {
  readonly #plan: ClientPlan
  readonly #sink: BenchClientSink
  readonly #connectHeaders: ConnectHeaders
  readonly #subscribes: boolean
  readonly #scanner: StompScanner
  readonly #ws: WsClient

  constructor(
    plan: ClientPlan,
    role: 'subscriber' | 'publisher',
    connectHeaders: ConnectHeaders,
    sink: BenchClientSink,
  ) {
    this.#plan = plan
    this.#sink = sink
    this.#connectHeaders = connectHeaders
    this.#subscribes = role === 'subscriber'
    this.#scanner = new StompScanner({
      onStompMessage: (bytes, start, length) => sink.onBody(bytes, start, length),
      onStompOther: (command, text) => this.#onFrame(command, text),
    })
    this.#ws = new WsClient(this.#subscribes ? plan.subscribeEndpoint : plan.publishEndpoint, {
      onOpen: () => this.#onOpen(),
      onMessage: (bytes, start, end) => this.#onMessage(bytes, start, end),
      onRead: (bytes) => sink.onRead(bytes),
      onEnd: (reason) => sink.onFailure(reason),
    })
  }

  /** Writes frames that `publishFrame` and `clientFrame` made. */
  sendFrames(frames: readonly Buffer[]): void {
    this.#ws.sendFrames(frames)
  }

  destroy(): void {
    this.#ws.destroy()
  }

  #onOpen(): void {
    if (this.#plan.dialect === 'bare') this.#sink.onReady()
    else this.#ws.send(connectText(this.#connectHeaders))
  }

  #onMessage(bytes: Buffer, start: number, end: number): void {
    if (this.#plan.dialect === 'bare') this.#sink.onBody(bytes, start, end - start)
    else this.#scanner.scan(bytes, start, end)
  }

  #onFrame(command: string, text: string): void {
    if (command === 'CONNECTED' && this.#subscribes) {
      const headers = ['id', 'sub-0', 'destination', this.#plan.destination, 'receipt', 'subscribed']
      this.#ws.send(stompText('SUBSCRIBE', headers))
    } else if (command === 'CONNECTED' || command === 'RECEIPT') this.#sink.onReady()
    else this.#sink.onFailure(text.trim())
  }
}

/** The text of one publication in the plan's dialect. */
export function publicationText(plan: ClientPlan, body: string): string {
  if (plan.dialect === 'bare') return body
  return stompText('SEND', ['destination', plan.destination, 'content-type', 'text/plain'], body)
}
