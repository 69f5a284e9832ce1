import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { Drain } from './drain.ts'

export interface OutboxLimits {
  /** Bytes that may be unsent, the kernel's buffers aside. */
  readonly bytes: number
  /** Milliseconds for which the oldest of them may stay unsent. */
  readonly ms: number
}

export interface OutboxParts {
  readonly socket: Socket
  /** How bytes get to the socket, at once; by default they are written to it as they are. */
  readonly write?: (bytes: Uint8Array) => void
  readonly limits: OutboxLimits
  readonly turn: Turn
  /** The client does not read; called at each sign of it. */
  readonly onTooSlow: () => void
}

/**
 * What one client is to be sent. Everything of one turn leaves in one write, since writes are what
 * fan-out costs, and a client that does not read is noticed: by what waits, or by how long.
 */
export class Outbox {
  readonly #parts: OutboxParts
  readonly #drain: Drain
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  /** Where in the stream the backlog ended when it was last seen to shrink, and when that was. */
  #mark: { readonly position: number; readonly sinceMs: number } | undefined

  constructor(parts: OutboxParts) {
    this.#parts = parts
    this.#drain = new Drain(parts.socket)
  }

  add(bytes: Uint8Array): void {
    const { turn, limits, onTooSlow } = this.#parts
    if (this.#pending.push(bytes) === 1) turn.schedule(this)
    this.#pendingBytes += bytes.byteLength
    if (this.unsentBytes <= limits.bytes) return
    // What one turn brings is no sign of a client that does not read: the kernel may take all of it.
    this.flush()
    if (this.unsentBytes > limits.bytes) onTooSlow()
  }

  get unsentBytes(): number {
    return this.#pendingBytes + this.#parts.socket.writableLength
  }

  /** Hands what waits to the socket, in one write. */
  flush(): void {
    const pending = this.#pending
    const [first] = pending
    if (first === undefined) return
    const bytes = pending.length === 1 ? first : Buffer.concat(pending, this.#pendingBytes)
    this.#pending = []
    this.#pendingBytes = 0
    const { socket, write, turn } = this.#parts
    if (!socket.writable) return
    if (write === undefined) socket.write(bytes)
    else write(bytes)
    turn.wrote(this, socket.writableLength > 0)
  }

  /** Resolves when the kernel has taken what waits, or the socket is gone; undefined where little waits. */
  room(): Promise<void> | undefined {
    const { socket } = this.#parts
    // As much as Node lets a socket hold: less may wait for the end of the turn, and be asked about often.
    if (this.#pendingBytes < socket.writableHighWaterMark && !socket.writableNeedDrain) return undefined
    this.flush()
    return this.#drain.room()
  }

  /**
   * Looks whether the backlog shrinks. Bytes handed over are gone when the kernel took them, so the
   * mark moves on as soon as everything that waited when it was set has left.
   *
   * @returns whether there still is a backlog
   */
  check(nowMs: number): boolean {
    const { writableLength, bytesWritten } = this.#parts.socket
    if (writableLength === 0) {
      this.#mark = undefined
      return false
    }
    if (this.#mark === undefined || bytesWritten - writableLength >= this.#mark.position) {
      this.#mark = { position: bytesWritten, sinceMs: nowMs }
    }
    if (nowMs - this.#mark.sinceMs > this.#parts.limits.ms) this.#parts.onTooSlow()
    return true
  }
}

/** The outboxes of a node: those with something to write in this turn, and those with a backlog. */
export class Turn {
  readonly #counters: { socketWrites: number }
  readonly #backlogged = new Set<Outbox>()
  #scheduled: Outbox[] = []

  constructor(counters: { socketWrites: number }) {
    this.#counters = counters
  }

  schedule(outbox: Outbox): void {
    if (this.#scheduled.push(outbox) === 1) process.nextTick(() => this.#flush())
  }

  wrote(outbox: Outbox, isBacklogged: boolean): void {
    this.#counters.socketWrites++
    if (isBacklogged) this.#backlogged.add(outbox)
  }

  forget(outbox: Outbox): void {
    this.#backlogged.delete(outbox)
  }

  /** Looks for clients that do not read. Called from time to time. */
  check(nowMs = performance.now()): void {
    for (const outbox of this.#backlogged) {
      if (!outbox.check(nowMs)) this.#backlogged.delete(outbox)
    }
  }

  #flush(): void {
    const outboxes = this.#scheduled
    this.#scheduled = []
    for (const outbox of outboxes) outbox.flush()
  }
}
