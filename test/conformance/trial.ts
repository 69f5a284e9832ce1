import { randomBytes } from 'node:crypto'
import type { Version } from '../../protocol/version.ts'
import { Deviation, expect } from './deviation.ts'
import { Peer } from './peer.ts'
import type { Target } from './target.ts'
import { rawHeader, type WireFrame } from './wire.ts'

const PROTOCOLS: Record<Version, string> = { '1.0': 'v10.stomp', '1.1': 'v11.stomp', '1.2': 'v12.stomp' }

/** Answers in a row that a server may give after what it should refuse, before it is held to have let it pass. */
const SENTINELS = 3

interface RefusalOptions {
  /** What shows that the server still listens. Before CONNECTED only `connect` does. Default `send`. */
  readonly sentinel?: 'send' | 'connect'
  /** The receipt that the frame asked for, which must not come. */
  readonly receipt?: string
}

/** One run of one case against one server in one version: names of its own, and its clients. */
export class Trial {
  readonly target: Target
  readonly version: Version
  readonly #name = randomBytes(6).toString('hex')
  readonly #peers: Peer[] = []
  #count = 0

  constructor(target: Target, version: Version) {
    this.target = target
    this.version = version
  }

  /** A name that nobody else uses. */
  name(): string {
    return `conformance-${this.#name}-${++this.#count}`
  }

  topic(): string {
    return `/topic/${this.name()}`
  }

  queue(): string {
    return `/queue/${this.name()}`
  }

  /** A WebSocket on which nothing was said yet. */
  async open(version: Version = this.version): Promise<Peer> {
    return this.openWith([PROTOCOLS[version]])
  }

  async openWith(protocols: readonly string[]): Promise<Peer> {
    const peer = await Peer.open(this.target.url, protocols)
    this.#peers.push(peer)
    return peer
  }

  /** The headers of a CONNECT that must be accepted. */
  connectHeaders(version: Version = this.version): string[] {
    const { login, passcode, host } = this.target
    return ['accept-version', version, 'host', host, 'login', login, 'passcode', passcode]
  }

  async connect(headers: readonly string[] = [], version: Version = this.version): Promise<Peer> {
    const peer = await this.open(version)
    peer.send('CONNECT', [...this.connectHeaders(version), ...headers])
    await peer.next('CONNECTED')
    return peer
  }

  /** Sends a frame with a receipt and waits for that. */
  async ask(
    peer: Peer,
    command: string,
    headers: readonly string[],
    body?: string | Uint8Array,
  ): Promise<void> {
    const id = `ask-${++this.#count}`
    peer.send(command, [...headers, 'receipt', id], body)
    await peer.receipt(id)
  }

  async subscribe(
    peer: Peer,
    id: string,
    destination: string,
    headers: readonly string[] = [],
  ): Promise<void> {
    await this.ask(peer, 'SUBSCRIBE', ['id', id, 'destination', destination, ...headers])
  }

  async publish(
    peer: Peer,
    destination: string,
    body: string | Uint8Array = '',
    headers: readonly string[] = [],
  ): Promise<void> {
    await this.ask(peer, 'SEND', ['destination', destination, ...headers], body)
  }

  /** What an ACK or NACK of this message says, in this version. */
  ackHeaders(message: WireFrame): string[] {
    if (this.version === '1.2') return ['id', rawHeader(message, 'ack') ?? 'MESSAGE had no ack header']
    const subscription = ['subscription', rawHeader(message, 'subscription') ?? '']
    return [...subscription, 'message-id', rawHeader(message, 'message-id') ?? '']
  }

  async ack(peer: Peer, message: WireFrame, headers: readonly string[] = []): Promise<void> {
    await this.ask(peer, 'ACK', [...this.ackHeaders(message), ...headers])
  }

  async nack(peer: Peer, message: WireFrame, headers: readonly string[] = []): Promise<void> {
    await this.ask(peer, 'NACK', [...this.ackHeaders(message), ...headers])
  }

  /** Says DISCONNECT and waits until the server has closed the connection. */
  async leave(peer: Peer): Promise<void> {
    peer.send('DISCONNECT')
    await peer.closed()
  }

  /**
   * What was just written must be answered by ERROR with a `message`, and then the connection must close.
   * @returns the ERROR
   * @throws Deviation that says what happened instead
   */
  async refusal(peer: Peer, options: RefusalOptions = {}): Promise<WireFrame> {
    // A CONNECT is answered in any case, and must not be followed by another one before that.
    const error = await (options.sentinel === 'connect'
      ? peer.until(() => firstSign(peer), 'anything')
      : this.#errorOrAnswer(peer, options))
    if (error === 'closed') throw new Deviation('closed without ERROR')
    if (error === 'answered') throw new Deviation('not refused')
    const message = rawHeader(error, 'message')
    expect(message !== undefined && message !== '', 'ERROR has no message')
    const after = await this.#errorOrAnswer(peer, options)
    expect(after === 'closed', `ERROR "${message}", but the connection stays open`)
    const isReceipted = peer.inbox.some(
      (frame) => options.receipt !== undefined && rawHeader(frame, 'receipt-id') === options.receipt,
    )
    expect(!isReceipted, 'a RECEIPT for the frame that ERROR refused')
    return error
  }

  end(): void {
    for (const peer of this.#peers) peer.terminate()
  }

  async #errorOrAnswer(
    peer: Peer,
    { sentinel = 'send' }: RefusalOptions,
  ): Promise<WireFrame | 'closed' | 'answered'> {
    for (let i = 0; i < SENTINELS; i++) {
      const receipt = `sentinel-${++this.#count}`
      if (sentinel === 'connect') peer.send('CONNECT', this.connectHeaders())
      else peer.send('SEND', ['destination', this.topic(), 'receipt', receipt], 'sentinel')
      const seen = await peer.until(() => firstSign(peer, receipt), 'anything')
      if (seen !== 'answered') return seen
      if (sentinel === 'connect') break
    }
    return 'answered'
  }
}

function firstSign(peer: Peer, receipt?: string): WireFrame | 'closed' | 'answered' | undefined {
  const error = peer.take('ERROR')
  if (error !== undefined) return error
  const isAnswer = (frame: WireFrame): boolean => rawHeader(frame, 'receipt-id') === receipt
  const isAnswered = receipt !== undefined && peer.take('RECEIPT', isAnswer) !== undefined
  if (isAnswered || peer.take('CONNECTED') !== undefined) return 'answered'
  return peer.closeCode === undefined ? undefined : 'closed'
}
