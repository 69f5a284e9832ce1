import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Whether there is such a process, other than one that has ended and that nobody has asked about. */
export async function isRunning(pid: number): Promise<boolean> {
  return !/^(Z|$)/.test(await stateOf(pid))
}

/** Whether SIGSTOP holds it. */
export async function isStopped(pid: number): Promise<boolean> {
  return (await stateOf(pid)).startsWith('T')
}

async function stateOf(pid: number): Promise<string> {
  // It fails where there is no such process.
  const { stdout } = await run('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({ stdout: '' }))
  return stdout.trim()
}
