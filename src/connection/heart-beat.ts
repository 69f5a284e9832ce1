/**
 * How late a client may be: its promise, twice over. Browsers slow the timers of hidden pages, and
 * RabbitMQ, which closes after two to three intervals, allows as much.
 */
const TOLERANCE = 2

export interface HeartBeatPeer {
  /** Writes one LF. */
  beat(): void
  /** Nothing came for too long. */
  missed(): void
}

/** Heart-beats of one connection (STOMP 1.2, "Heart-beating"), with a timer for each direction at most. */
export class HeartBeat {
  readonly #peer: HeartBeatPeer
  #sender: NodeJS.Timeout | undefined
  #watchdog: NodeJS.Timeout | undefined
  #isSuspended = false

  constructor(peer: HeartBeatPeer) {
    this.#peer = peer
  }

  /** @param receiveMs how often the peer has promised to send; 0 is never */
  start(sendMs: number, receiveMs: number): void {
    if (sendMs > 0) this.#sender = setInterval(() => this.#peer.beat(), sendMs)
    if (receiveMs > 0) this.#watchdog = setTimeout(() => this.#expired(), receiveMs * TOLERANCE)
  }

  /** Something came: any bytes count. */
  received(): void {
    this.#watchdog?.refresh()
  }

  /** While we do not read we cannot hear, and must not blame the peer. */
  suspend(isSuspended: boolean): void {
    this.#isSuspended = isSuspended
    this.#watchdog?.refresh()
  }

  stop(): void {
    clearInterval(this.#sender)
    clearTimeout(this.#watchdog)
  }

  #expired(): void {
    if (this.#isSuspended) this.#watchdog?.refresh()
    else this.#peer.missed()
  }
}
