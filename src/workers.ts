import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import process from 'node:process'
import { NodeError } from './errors.ts'
import { backoffMs } from './lib/backoff.ts'
import { deferred, type Deferred } from './lib/deferred.ts'
import type { Log } from './telemetry/log.ts'

/** What a worker says to the first process once it serves. */
export interface Serving {
  readonly stompRelay: 'serving'
  readonly address: string
  readonly broker: string
  readonly database: string
}

export interface WorkersOptions {
  readonly count: number
  /** Workers are nodes of their own: `NODE_ID-1`, `NODE_ID-2`, … */
  readonly nodeId: string
  /** The program that every worker runs. */
  readonly program: string
  readonly log: Log
}

interface Slot {
  readonly nodeId: string
  readonly serving: Deferred<Serving>
  worker: Worker | undefined
  servingSince: number | undefined
  failures: number
  timer: NodeJS.Timeout | undefined
}

const BASE_WAIT_MS = 200
const MAX_WAIT_MS = 10_000
/** A worker that has served this long did not end because it cannot start. */
const STABLE_MS = 60_000

/**
 * The processes of `WORKERS`, which share one port: Node's `cluster` hands new connections out in turn. One
 * that ends is replaced under its own name, after a pause; the new one waits for the lease of the dead.
 */
export class Workers {
  readonly #options: WorkersOptions
  readonly #slots: readonly Slot[]
  #isStopping = false
  #isFaulty = false

  constructor(options: WorkersOptions) {
    this.#options = options
    this.#slots = Array.from({ length: options.count }, (_, index) => ({
      nodeId: `${options.nodeId}-${index + 1}`,
      serving: deferred<Serving>(),
      worker: undefined,
      servingSince: undefined,
      failures: 0,
      timer: undefined,
    }))
  }

  /**
   * Resolves when all of them serve.
   *
   * @throws NodeError `worker-failed` where one ends before it has ever served; it has said why, and the
   * others are stopped
   */
  async start(): Promise<Serving> {
    cluster.setupPrimary({ exec: this.#options.program, args: [] })
    for (const slot of this.#slots) this.#fork(slot)
    try {
      const [first] = await Promise.all(this.#slots.map(async ({ serving }) => serving.promise))
      if (first === undefined) throw new NodeError('worker-failed', 'there are no workers')
      return first
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** Tells all to finish, and resolves when they have: with whether each of them ended well. */
  async stop(): Promise<boolean> {
    this.#isStopping = true
    for (const slot of this.#slots) clearTimeout(slot.timer)
    const running = this.#slots.flatMap(({ worker }) => worker ?? [])
    await Promise.all(
      running.map(async (worker) => {
        const ended = once(worker, 'exit')
        worker.process.kill('SIGTERM')
        await ended
      }),
    )
    return !this.#isFaulty
  }

  /** Passes a signal on to those that serve: before that they might not be ready for it. */
  signal(signal: NodeJS.Signals): void {
    for (const { worker, servingSince } of this.#slots) {
      if (servingSince !== undefined) worker?.process.kill(signal)
    }
  }

  #fork(slot: Slot): void {
    const worker = cluster.fork({ NODE_ID: slot.nodeId })
    slot.worker = worker
    const { log } = this.#options
    log.info({ event: 'worker-started', worker: slot.nodeId, pid: worker.process.pid }, 'a worker started')
    worker.on('message', (message: unknown) => {
      if (!isServing(message)) return
      slot.servingSince = performance.now()
      slot.serving.resolve(message)
    })
    worker.on('error', (error) => {
      log.warn({ event: 'worker-unreachable', worker: slot.nodeId, err: error }, 'worker unreachable')
    })
    worker.once('exit', (code, signal) => this.#onExit(slot, code, signal))
  }

  #onExit(slot: Slot, code: number | null, signal: string | null): void {
    const { servingSince } = slot
    slot.worker = undefined
    slot.servingSince = undefined
    if (this.#isStopping) {
      // One that does not serve yet has nothing to finish.
      if (code !== 0 && servingSince !== undefined) this.#isFaulty = true
      return
    }
    const how = { worker: slot.nodeId, code, signal }
    this.#options.log.error({ event: 'worker-ended', ...how }, 'a worker ended')
    if (slot.failures === 0 && servingSince === undefined) {
      slot.serving.reject(new NodeError('worker-failed', `${slot.nodeId} could not start`))
    }
    if (servingSince !== undefined && performance.now() - servingSince > STABLE_MS) slot.failures = 0
    const waitMs = backoffMs(slot.failures, BASE_WAIT_MS, MAX_WAIT_MS)
    slot.failures += 1
    slot.timer = setTimeout(() => this.#fork(slot), waitMs)
  }
}

/**
 * In a worker: says to the first process that it serves. `SIGINT` is for the first process alone: a terminal
 * sends it to all of them. A worker whose first process is gone is ended by Node.
 */
export function followFirstProcess(serving: Omit<Serving, 'stompRelay'>): void {
  const message: Serving = { stompRelay: 'serving', ...serving }
  process.on('SIGINT', () => undefined)
  process.send?.(message)
}

function isServing(message: unknown): message is Serving {
  return (
    typeof message === 'object' &&
    message !== null &&
    'stompRelay' in message &&
    message.stompRelay === 'serving'
  )
}
