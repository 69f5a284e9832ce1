import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 15_000
const KEPT_LINES = 20

export interface RelayProcess {
  readonly pid: number
  /** `http://host:port` as the server logged it. */
  readonly address: string
  stop(): Promise<void>
}

/**
 * Starts the compiled server of a checkout and resolves when it has logged that it listens.
 * @param env the whole environment: nothing of ours leaks in
 * @throws Error with its last lines, where it ends before or says nothing in time
 */
export async function startRelayProcess(
  { checkout, nodeArgs }: { readonly checkout: string; readonly nodeArgs: readonly string[] },
  env: Record<string, string>,
): Promise<RelayProcess> {
  const options = {
    cwd: checkout,
    env,
    stdio: ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit'],
  }
  const child = spawn(process.execPath, [...nodeArgs, 'dist/src/main.js'], options)
  try {
    return { pid: child.pid ?? 0, address: await untilListening(child), stop: async () => end(child) }
  } catch (error) {
    await end(child)
    throw error
  }
}

async function untilListening(child: ChildProcess): Promise<string> {
  const last: string[] = []
  return new Promise((resolve, reject) => {
    const fail = (why: string): void =>
      reject(new Error(`the relay did not start: ${why}\n${last.join('\n')}`))
    const timer = setTimeout(() => fail('it did not say that it listens'), START_TIMEOUT_MS)
    child.once('exit', (code) => fail(`exit code ${code}`))
    child.once('error', (error) => fail(error.message))
    // Read to the end, or a full pipe would stop the server.
    createInterface({ input: child.stdout! }).on('line', (line) => {
      last.push(line)
      if (last.length > KEPT_LINES) last.shift()
      const address = listeningAddress(line)
      if (address === undefined) return
      clearTimeout(timer)
      resolve(address)
    })
  })
}

function listeningAddress(line: string): string | undefined {
  try {
    const entry: unknown = JSON.parse(line)
    if (typeof entry !== 'object' || entry === null || !('event' in entry) || !('address' in entry))
      return undefined
    return entry.event === 'listening' && typeof entry.address === 'string' ? entry.address : undefined
  } catch {
    return undefined
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const harder = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await exited
  clearTimeout(harder)
}
