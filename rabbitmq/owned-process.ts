import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import type { Watchdog } from './watchdog.ts'

const STOP_TIMEOUT_MS = 20_000

/** A process of ours that a watchdog knows, does not keep this one alive, and can be started again. */
export class OwnedProcess {
  readonly #watchdog: Watchdog
  #child: ChildProcess | undefined

  constructor(watchdog: Watchdog) {
    this.#watchdog = watchdog
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return isRunning(this.#child) ? this.#child.pid : undefined
  }

  /** Does nothing where it runs already. That the program cannot be started shows in `pid`. */
  start(command: string, args: readonly string[], options: SpawnOptions): void {
    if (isRunning(this.#child)) return
    const child = spawn(command, args, { ...options, detached: true, stdio: 'ignore' })
    child.once('error', () => undefined)
    child.unref()
    this.#child = child
    this.#watchdog.watch(child)
  }

  /** Tells it to stand still or to go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (isRunning(this.#child)) this.#child.kill(signal)
  }

  /** Resolves when it is gone, which SIGKILL sees to where SIGTERM did not within 20 s. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (!isRunning(child)) return
    const exited = once(child, 'exit')
    child.ref()
    child.kill(signal)
    const harder = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await exited
    clearTimeout(harder)
  }
}

function isRunning(child: ChildProcess | undefined): child is ChildProcess {
  return child?.pid !== undefined && child.exitCode === null && child.signalCode === null
}
