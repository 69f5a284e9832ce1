import { execFile } from 'node:child_process'
import process from 'node:process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const GONE_TIMEOUT_MS = 20_000
const GONE_POLL_MS = 5

/** The processes that this one has started and that still run. */
export async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=', '-o', 'ppid=', '-o', 'stat='])
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, state = 'Z']) => Number(parent) === pid && !state.startsWith('Z'))
    .map(([child]) => Number(child))
}

/** Resolves when no child of a stopped process runs any more. @throws Error where that takes over 20 s */
export async function untilChildless(pid: number): Promise<void> {
  const giveUpAt = Date.now() + GONE_TIMEOUT_MS
  while ((await childrenOf(pid)).length > 0) {
    if (Date.now() > giveUpAt) throw new Error(`children of process ${pid} do not end`)
    await new Promise((resolve) => setTimeout(resolve, GONE_POLL_MS))
  }
}

/** Sends a signal, unless the process has gone meanwhile. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
