import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Inbox } from '../support/inbox.ts'
import { plainEnvironment } from '../support/plain-environment.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

export interface Example {
  /** Lines of standard output, as they come. */
  readonly lines: Inbox<string>
  /** Asks it to end, as Ctrl-C does. */
  interrupt(): void
  /** Its exit code, and everything it said on standard error. */
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string }>
}

/** Runs an example the way a person does, from the top of the repository. */
export function runExample(
  t: Teardown,
  command: readonly [file: string, ...args: string[]],
  env: Readonly<Record<string, string>>,
): Example {
  const [file, ...args] = command
  const path = `examples/${file}`
  const [program, programArgs] = file.endsWith('.sh')
    ? ['bash', [path]]
    : [process.execPath, ['--import', 'tsx', path]]
  const child = spawn(program, [...programArgs, ...args], {
    cwd: ROOT,
    env: { ...plainEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await closed
  })
  const lines = new Inbox<string>()
  createInterface({ input: child.stdout }).on('line', lines.push)
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  return {
    lines,
    interrupt: () => child.kill('SIGINT'),
    ended: closed.then(() => ({ code: child.exitCode, errors })),
  }
}
