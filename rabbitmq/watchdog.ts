import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Socket } from 'node:net'

/**
 * Ends processes of ours and removes their folder when this process is gone, however it ended: the
 * kernel closes the pipe, the shell at its other end reads end of file and does the work. It is told
 * of process groups, so what they started goes with them.
 */
export class Watchdog {
  readonly #shell: ChildProcess
  readonly #groups = new Set<number>()
  #alsoEnded: readonly number[] = []

  /**
   * @param dir removed in the end; pass undefined to keep the caller's own folder
   * @param farewell a shell command to run before that, `$1` being the folder: releases what lives outside
   */
  constructor(dir: string | undefined, farewell = '') {
    const script = [
      'groups=""',
      'while read -r line; do groups="$line"; done',
      'for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done',
      farewell,
      '[ -z "$1" ] || rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }',
    ].join('\n')
    // A session of its own: Ctrl-C on the terminal must not end it before its time.
    this.#shell = spawn('/bin/sh', ['-c', script, 'watchdog', dir ?? ''], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#shell.once('error', () => undefined)
    this.#shell.stdin?.on('error', () => undefined)
    this.#shell.unref()
    // A pipe of a child is a socket, which its type does not say.
    if (this.#shell.stdin instanceof Socket) this.#shell.stdin.unref()
  }

  /** The process must have been spawned `detached`, or its group would be ours. */
  watch(child: ChildProcess): void {
    const group = child.pid
    if (group === undefined) return
    this.#groups.add(group)
    this.#tell()
    child.once('exit', () => {
      this.#groups.delete(group)
      this.#tell()
    })
  }

  /** Processes outside the group to end too, each the leader of its own: these instead of those before. */
  alsoEnd(pids: readonly number[]): void {
    this.#alsoEnded = pids
    this.#tell()
  }

  /** Ends what still runs and resolves when the folder is gone. */
  async release(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return
    const exited = once(this.#shell, 'exit')
    this.#shell.ref()
    this.#shell.stdin?.end()
    await exited
  }

  #tell(): void {
    if (this.#shell.stdin?.writable === true)
      this.#shell.stdin.write(`${[...this.#groups, ...this.#alsoEnded].join(' ')}\n`)
  }
}
