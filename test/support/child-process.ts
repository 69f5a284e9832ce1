import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SETTINGS } from '../../src/config/config.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { within } from '../../src/lib/within.ts'
import { plainEnvironment } from './plain-environment.ts'
import { HASTE, temporaryFolder } from './relay.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** How long a process may take to say what it has to say: compiling on a busy machine included. */
const PATIENCE_MS = 60_000

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RelayProcess {
  /** `http://127.0.0.1:PORT` */
  readonly address: string
  /** `ws://…/ws` */
  readonly url: string
  readonly child: ChildProcess
  /** Everything it has written so far, log and banner. */
  output(): string
  /** The first line of its log that bears this event. */
  logged(event: string): Promise<Record<string, unknown>>
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>
  /** Resolves with the exit code when it is gone. */
  readonly exited: Promise<number | null>
}

/** The environment of this process without the settings that somebody may have exported. */
function environment(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const names = new Set(Object.values(SETTINGS).map((row) => row.env))
  const inherited = Object.entries(plainEnvironment()).filter(([name]) => !names.has(name))
  return { ...Object.fromEntries(inherited), ...settings }
}

function start(t: Teardown, args: readonly string[], settings: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    cwd: ROOT,
    env: environment(settings),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  })
  child.stdin.on('error', () => undefined)
  child.stdout.setEncoding('utf8')
  child.stderr.setEncoding('utf8')
  return child
}

/** Runs a TypeScript program of the repository to its end. */
export async function runProgram(
  t: Teardown,
  args: readonly string[],
  options: { env?: Readonly<Record<string, string>>; stdin?: string } = {},
): Promise<Ended> {
  const child = start(t, args, options.env ?? {})
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text: string) => (stdout += text))
  child.stderr.on('data', (text: string) => (stderr += text))
  child.stdin.end(options.stdin ?? '')
  const [code] = (await within(
    once(child, 'close'),
    PATIENCE_MS,
    () => new Error(`${args.join(' ')} does not end; it said: ${stdout}${stderr}`),
  )) as [number | null]
  return { code, stdout, stderr }
}

/** The real process on a free port, with the demo accounts, and a database of its own unless one is given. */
export async function startProcess(
  t: Teardown,
  settings: Readonly<Record<string, string>> = {},
): Promise<RelayProcess> {
  const database = settings['DATABASE_URL'] ?? `sqlite:${join(await temporaryFolder(t), 'relay.db')}`
  const child = start(t, ['src/main.ts'], {
    PORT: '0',
    DRAIN_MS: '0',
    ...HASTE,
    ...settings,
    DATABASE_URL: database,
  })
  let output = ''
  const wake: (() => void)[] = []
  const heard = (text: string): void => {
    output += text
    for (const each of wake.splice(0)) each()
  }
  child.stdout.on('data', heard)
  child.stderr.on('data', heard)
  const exited = once(child, 'close').then(([code]) => {
    heard('')
    return code as number | null
  })

  const find = async (event: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const line = output
        .split('\n')
        .find((each) => each.includes(`"event":"${event}"`) && each.endsWith('}'))
      if (line !== undefined) return JSON.parse(line) as Record<string, unknown>
      if (child.exitCode !== null) throw new Error(`ended before ${event}: ${output}`)
      const more = deferred()
      wake.push(more.resolve)
      await more.promise
    }
  }
  const logged = async (event: string): Promise<Record<string, unknown>> =>
    within(find(event), PATIENCE_MS, () => new Error(`no ${event} in the log: ${output}`))

  const { address } = await logged('listening')
  return {
    address: String(address),
    url: `${String(address).replace('http', 'ws')}/ws`,
    child,
    output: () => output,
    logged,
    exited,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
