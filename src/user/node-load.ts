import { performance, type EventLoopUtilization } from 'node:perf_hooks'
import { cpuUsage, memoryUsage } from 'node:process'

/** Frames since the process began. */
export interface FrameTotals {
  readonly framesReceived: number
  readonly framesSent: number
}

/** What a node had to do since it was asked last. */
export interface Load {
  /** Cores' worth of processor time. */
  readonly cpu: number
  /** The share of time in which the event loop had something to do, 0 to 1. */
  readonly busy: number
  readonly heapBytes: number
  /** Frames a second. */
  readonly framesIn: number
  readonly framesOut: number
}

interface Reading {
  readonly atMs: number
  readonly cpuMs: number
  readonly loop: EventLoopUtilization
  readonly framesIn: number
  readonly framesOut: number
}

/** How much this process does, as its heart-beats tell. */
export class NodeLoad {
  readonly #totals: FrameTotals
  #last: Reading

  /** @param totals read at each question */
  constructor(totals: FrameTotals) {
    this.#totals = totals
    this.#last = this.#read()
  }

  /** Since the question before. */
  measure(): Load {
    const [before, now] = [this.#last, this.#read()]
    this.#last = now
    const ms = Math.max(1, now.atMs - before.atMs)
    const aSecond = (count: number): number => Math.round((count * 10_000) / ms) / 10
    return {
      cpu: Math.round(((now.cpuMs - before.cpuMs) / ms) * 1000) / 1000,
      busy: Math.round(performance.eventLoopUtilization(now.loop, before.loop).utilization * 1000) / 1000,
      heapBytes: memoryUsage().heapUsed,
      framesIn: aSecond(now.framesIn - before.framesIn),
      framesOut: aSecond(now.framesOut - before.framesOut),
    }
  }

  #read(): Reading {
    const { user, system } = cpuUsage()
    return {
      atMs: performance.now(),
      cpuMs: (user + system) / 1000,
      loop: performance.eventLoopUtilization(),
      framesIn: this.#totals.framesReceived,
      framesOut: this.#totals.framesSent,
    }
  }
}
