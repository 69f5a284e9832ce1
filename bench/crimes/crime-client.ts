import { deferred } from '../../src/lib/deferred.ts'
import { connectText, type ConnectHeaders } from '../load/client-plan.ts'
import { StompScanner } from '../load/stomp-scanner.ts'
import { WsClient, type WsEndpoint } from '../load/ws-client.ts'
import { clientFrame } from '../load/ws-frame.ts'

export interface CrimeClientSink {
  /** The `message` of an ERROR frame, without what differs each time. */
  onError(message: string): void
  /** Once: how it ended, unless it was destroyed here. */
  onEnd(reason: string): void
}

const RECEIPT = /^receipt-id:(.*)$/m
/** Without the details, which an escaped colon begins. */
const MESSAGE = /^message:([^\\\n]*)/m
const ACK = /^ack:(.*)$/m

/** A client that means no good. It waits for what it is told to wait for, and for nothing else. */
export class CrimeClient {
  readonly opened: Promise<void>
  readonly #ws: WsClient
  readonly #open = deferred()
  readonly #closed = deferred()
  readonly #connected = deferred()
  readonly #receipts = new Map<string, () => void>()
  readonly #sink: CrimeClientSink
  #onMessage: (ackId: string) => void = () => undefined
  #asked = 0
  #isOpen = true

  constructor(endpoint: WsEndpoint, sink: CrimeClientSink) {
    this.#sink = sink
    this.opened = this.#open.promise
    for (const { promise } of [this.#open, this.#connected]) promise.catch(() => undefined)
    const scanner = new StompScanner({
      onStompMessage: (bytes, bodyStart) => {
        this.#onMessage(ACK.exec(bytes.toString('utf8', Math.max(0, bodyStart - 500), bodyStart))?.[1] ?? '')
      },
      onStompOther: (command, text) => this.#onFrame(command, text),
    })
    this.#ws = new WsClient(endpoint, {
      onOpen: () => this.#open.resolve(),
      onMessage: (bytes, start, end) => scanner.scan(bytes, start, end),
      onRead: () => undefined,
      onEnd: (reason) => this.#end(reason),
    })
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Resolves when it is over, whoever ended it. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  async connect(headers: ConnectHeaders): Promise<void> {
    this.send(connectText(headers))
    await this.#connected.promise
  }

  send(text: string): void {
    this.sendFrames([clientFrame(Buffer.from(text))])
  }

  sendFrames(frames: readonly Buffer[]): void {
    this.#ws.sendFrames(frames)
  }

  /** Resolves when the server has read what was written, the kernel's buffers aside, or all is over. */
  async drained(): Promise<void> {
    await this.#ws.drained()
  }

  /** Sends a frame that asks for a RECEIPT, and waits for it or for the end. @param text with `RECEIPT` as its id */
  async ask(text: string): Promise<void> {
    const id = `crime-${++this.#asked}`
    const answered = new Promise<void>((resolve) => this.#receipts.set(id, resolve))
    this.send(text.replace('receipt:RECEIPT', `receipt:${id}`))
    await Promise.race([answered, this.closed])
  }

  /** Resolves with the `ack` header of the next MESSAGE, or at the end. */
  async nextMessage(): Promise<string> {
    const message = new Promise<string>((resolve) => {
      this.#onMessage = resolve
    })
    return Promise.race([message, this.closed.then(() => '')])
  }

  stopReading(): void {
    this.#ws.stopReading()
  }

  destroy(): void {
    this.#ws.destroy()
    this.#end(undefined)
  }

  #onFrame(command: string, text: string): void {
    if (command === 'CONNECTED') this.#connected.resolve()
    else if (command === 'ERROR') this.#sink.onError(MESSAGE.exec(text)?.[1] ?? '')
    const id = command === 'RECEIPT' ? (RECEIPT.exec(text)?.[1] ?? '') : ''
    this.#receipts.get(id)?.()
    this.#receipts.delete(id)
  }

  #end(reason: string | undefined): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    const error = new Error(reason ?? 'destroyed')
    this.#open.reject(error)
    this.#connected.reject(error)
    this.#closed.resolve()
    this.#sink.onEnd(reason ?? 'left')
  }
}
