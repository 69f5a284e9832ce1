import {
  connectText,
  stompText,
  topicsOf,
  type ClientPlan,
  type ConnectHeaders,
  type TopicPlan,
} from './client-plan.ts'
import { StompScanner } from './stomp-scanner.ts'
import { WsClient } from './ws-client.ts'

export interface BenchClientSink {
  /** Connected, and where it subscribes, subscribed for certain. */
  onReady(): void
  /** A body begins at `start`; valid during the call only. */
  onBody(bytes: Buffer, start: number, length: number): void
  /** A publication was receipted, by the number that `publicationText` was given. */
  onReceipt(sequence: number): void
  onRead(bytes: number): void
  onFailure(reason: string): void
}

const RECEIPT_ID = /^receipt-id:(.*)$/m
const SUBSCRIBED = 'subscribed-'

/** One client of a contestant, in the dialect of its plan. */
export class BenchClient {
  readonly #plan: ClientPlan
  readonly #topics: readonly TopicPlan[]
  readonly #sink: BenchClientSink
  readonly #connectHeaders: ConnectHeaders
  readonly #subscribes: boolean
  readonly #scanner: StompScanner
  readonly #ws: WsClient
  #subscribed = 0

  /** @param role a publisher, or a subscriber by its number in this process */
  constructor(
    plan: ClientPlan,
    role: number | 'publisher',
    connectHeaders: ConnectHeaders,
    sink: BenchClientSink,
  ) {
    this.#plan = plan
    this.#topics = role === 'publisher' ? [] : topicsOf(plan, role)
    this.#sink = sink
    this.#connectHeaders = connectHeaders
    this.#subscribes = role !== 'publisher'
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

  /** Writes frames that `clientFrame` made. */
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
    if (command === 'CONNECTED') this.#onConnected()
    else if (command === 'RECEIPT') this.#onReceipt(RECEIPT_ID.exec(text)?.[1] ?? '')
    else this.#sink.onFailure(text.trim())
  }

  #onConnected(): void {
    if (!this.#subscribes) {
      this.#sink.onReady()
      return
    }
    for (const [index, { subscribeTo }] of this.#topics.entries()) {
      const headers = ['id', `sub-${index}`, 'destination', subscribeTo, 'receipt', `${SUBSCRIBED}${index}`]
      this.#ws.send(stompText('SUBSCRIBE', headers))
    }
  }

  #onReceipt(id: string): void {
    if (!id.startsWith(SUBSCRIBED)) this.#sink.onReceipt(Number(id))
    else if (++this.#subscribed === this.#topics.length) this.#sink.onReady()
  }
}

/** The text of one publication in the plan's dialect. */
export function publicationText(plan: ClientPlan, topic: TopicPlan, body: string, sequence: number): string {
  if (plan.dialect === 'bare') return body
  const headers = ['destination', topic.publishTo, ...topic.headers]
  if (plan.hasReceipts) headers.push('receipt', String(sequence))
  return stompText('SEND', headers, topic.before + body + topic.after)
}
