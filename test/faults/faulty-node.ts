import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { deferred } from '../../src/lib/deferred.ts'
import { within } from '../../src/lib/within.ts'
import { plainEnvironment } from '../support/plain-environment.ts'
import { HASTE } from '../support/relay.ts'
import type { KillOrder } from './kill-point.ts'

const MAIN = fileURLToPath(new URL('faulty-relay.ts', import.meta.url))
/** Compiling on a busy machine included, and waiting for the lease of whoever had the name. */
const START_MS = 60_000
const SAID_CHARS = 8192

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

export interface Death {
  /** By `performance.now()`. */
  readonly atMs: number
  /** By which it was killed; null where it ended by itself. */
  readonly signal: string | null
}

/** A process that is ready to become a node, so that one which dies has a successor at once. */
export class FaultyNodeProcess {
  readonly #child: ChildProcess
  readonly #gone = deferred<Death>()
  #said = ''

  constructor(t: Teardown) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', MAIN], {
      env: plainEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#child.once('exit', (_code, signal) => this.#gone.resolve({ atMs: performance.now(), signal }))
    t.teardown(async () => {
      this.#child.kill('SIGKILL')
      await this.#gone.promise
    })
    const hear = (text: Buffer): void => {
      this.#said = (this.#said + text.toString()).slice(-SAID_CHARS)
    }
    this.#child.stdout?.on('data', hear)
    this.#child.stderr?.on('data', hear)
  }

  /** @throws where it ends, with what it said, or does not serve within a minute */
  async serve(settings: Readonly<Record<string, string>>): Promise<FaultyNode> {
    const gone = this.#gone.promise
    const ended = gone.then(() => Promise.reject(new Error(`a node did not start: ${this.#said}`)))
    const served = Promise.race([once(this.#child, 'message'), ended])
    this.#child.send({ ...HASTE, ...settings, PORT: '0', DRAIN_MS: '0', LOG_LEVEL: 'warn' })
    const late = (): Error => new Error(`a node does not serve: ${this.#said}`)
    const [{ address }] = (await within(served, START_MS, late)) as [{ address: string }]
    return new FaultyNode({ address, gone, child: this.#child })
  }
}

/** A process of `faulty-relay.ts` that serves. */
export class FaultyNode {
  /** `http://127.0.0.1:PORT` */
  readonly address: string
  readonly gone: Promise<Death>
  readonly #child: ChildProcess

  constructor(parts: {
    readonly address: string
    readonly gone: Promise<Death>
    readonly child: ChildProcess
  }) {
    this.address = parts.address
    this.gone = parts.gone
    this.#child = parts.child
  }

  /** `ws://127.0.0.1:PORT/ws` */
  get url(): string {
    return `${this.address.replace('http', 'ws')}/ws`
  }

  order(order: KillOrder): void {
    this.#child.send(order)
  }

  /** A counter of its metrics: `hub`, `filled` is `stomp_relay_hub_events_total{event="filled"}`. */
  async counters(): Promise<ReadonlyMap<string, number>> {
    const text = await (await fetch(`${this.address}/metrics`)).text()
    const lines = text.matchAll(/^stomp_relay_(\w+)_events_total\{event="(\w+)"\} (\d+)$/gm)
    return new Map([...lines].map(([, part, event, count]) => [`${part} ${event}`, Number(count)]))
  }
}
