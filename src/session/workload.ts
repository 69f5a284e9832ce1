import { setTimeout as delay } from 'node:timers/promises'
import type { ClientFrame } from '../../protocol/frame.ts'
import { deferred, type Deferred } from '../lib/deferred.ts'
import { currentTurn, nextTurn } from '../lib/event-turn.ts'
import { sizeOf } from './frame-size.ts'
import { Pace, type PaceLimits } from './pace.ts'
import type { TurnShare } from './turn-share.ts'

/** Frames under way at once in one session; the next one waits until one of them is done. */
export const MAX_IN_FLIGHT = 64

/**
 * Bytes of them. The node's connections to the broker are shared, and other clients' messages queue up
 * behind what this one has under way.
 */
export const MAX_IN_FLIGHT_BYTES = 65_536

/**
 * Frames that a session may take after a rest beyond its share of a turn (`TurnShare`), refused ones among them.
 * Who sends a burst now and then disturbs nobody.
 */
export const MAX_SAVED_FRAMES = 56

/** So many are saved up in a millisecond: less than a flood of SENDs uses. */
const SAVED_A_MS = 1

/**
 * Bytes of large frames. What is more stays in its socket: copying large messages, and collecting them
 * afterwards, takes the node's time from everybody (`bench -- isolation`, giant frames).
 */
export const LARGE_BYTES: PaceLimits = { perSecond: 4_194_304, burst: 262_144 }

/** Of each frame: small ones cost by their number, which has bounds of its own. */
const FREE_BYTES = 1024

/**
 * SUBSCRIBEs. To bind a topic and to unbind it takes RabbitMQ 0.7 ms, during which it does nothing for others
 * (`bench -- isolation`, flood-subscribe).
 */
export const SUBSCRIBES: PaceLimits = { perSecond: 128, burst: 64 }

/** How much one session may have under way, and do at a time: beyond it its next frame waits. */
export class Workload {
  #count = 0
  #bytes = 0
  #turn = 0
  #inTurn = 0
  #saved = MAX_SAVED_FRAMES
  #savedAtMs = 0
  readonly #largeBytes = new Pace(LARGE_BYTES)
  readonly #subscribes = new Pace(SUBSCRIBES)
  readonly #turnShare: TurnShare
  readonly #onPaced: () => void
  #window = 0
  #settled: Deferred<void> | undefined

  /** @param onPaced called each time that a pace makes the session wait */
  constructor(turnShare: TurnShare, onPaced: () => void) {
    this.#turnShare = turnShare
    this.#onPaced = onPaced
  }

  /** A frame's work begins, which may outlast its turn. @returns what to call when it has ended */
  begin(frame: ClientFrame): () => void {
    const bytes = sizeOf(frame)
    this.#count += 1
    this.#bytes += bytes
    return () => {
      this.#count -= 1
      this.#bytes -= bytes
      this.#settled?.resolve()
      this.#settled = undefined
    }
  }

  /**
   * Counts a frame that was taken, or refused. @returns what the next one has to wait for, if anything
   * @param isConnected others make room for it
   */
  room(frame: ClientFrame, isConnected: boolean): Promise<void> | undefined {
    if (frame.command === 'SUBSCRIBE') this.#subscribes.spend(1)
    this.#largeBytes.spend(Math.max(0, sizeOf(frame) - FREE_BYTES))
    const turn = currentTurn()
    if (turn !== this.#turn) {
      this.#inTurn = 0
      if (isConnected) this.#window = this.#turnShare.enter(this.#window)
    }
    this.#turn = turn
    this.#inTurn += 1
    const isOwnTurnOver = this.#inTurn >= this.#turnShare.share && !this.#useSaved()
    const aheadMs = Math.max(this.#largeBytes.aheadMs(), this.#subscribes.aheadMs())
    const isInTime = !isOwnTurnOver && aheadMs === 0
    return isInTime && !this.#isFull ? undefined : this.#untilRoom(isOwnTurnOver, aheadMs)
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.#count > 0) await this.#nextSettled()
  }

  /** @returns whether there was one */
  #useSaved(): boolean {
    const nowMs = performance.now()
    this.#saved = Math.min(MAX_SAVED_FRAMES, this.#saved + (nowMs - this.#savedAtMs) * SAVED_A_MS)
    this.#savedAtMs = nowMs
    if (this.#saved < 1) return false
    this.#saved -= 1
    return true
  }

  get #isFull(): boolean {
    return this.#count >= MAX_IN_FLIGHT || this.#bytes >= MAX_IN_FLIGHT_BYTES
  }

  async #untilRoom(isOwnTurnOver: boolean, aheadMs: number): Promise<void> {
    if (isOwnTurnOver) {
      await nextTurn()
      // Who waits for its turn does not rest.
      this.#savedAtMs = performance.now()
    }
    if (aheadMs > 0) {
      this.#onPaced()
      await delay(aheadMs)
    }
    while (this.#isFull) await this.#nextSettled()
  }

  #nextSettled(): Promise<void> {
    this.#settled ??= deferred()
    return this.#settled.promise
  }
}
