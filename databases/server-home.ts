import { execFile } from 'node:child_process'
import { chown, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { Watchdog } from '../rabbitmq/watchdog.ts'

const run = promisify(execFile)
const INIT_TIMEOUT_MS = 60_000

/** Who runs a server. Without ids it is whoever runs this process. */
interface Ids {
  readonly uid?: number
  readonly gid?: number
}

/** A temporary folder, whoever owns it and runs the server in it, and what ends both. */
export interface ServerHome {
  readonly dir: string
  readonly ids: Ids
  readonly env: Readonly<Record<string, string>>
  readonly watchdog: Watchdog
}

export interface ServerHomeOptions {
  readonly name: string
  /** The account that the server's package makes. */
  readonly account: string
  /** For the watchdog, which see. */
  readonly farewell?: string
}

/**
 * Both servers refuse to run as root: for root this takes the account that their package made, or
 * `nobody`, which exists everywhere.
 */
export async function makeServerHome({ name, account, farewell }: ServerHomeOptions): Promise<ServerHome> {
  const ids = process.getuid?.() === 0 ? await idsOf([account, 'nobody']) : {}
  const dir = await mkdtemp(join(tmpdir(), `stomp-relay-${name}-`))
  const watchdog = new Watchdog(dir, farewell)
  if (ids.uid !== undefined && ids.gid !== undefined) await chown(dir, ids.uid, ids.gid)
  // Nothing that somebody exported for another server may reach this one.
  const env = { PATH: process.env['PATH'] ?? '', TMPDIR: dir, LC_ALL: 'C' }
  return { dir, ids, env, watchdog }
}

/**
 * Runs a program to its end in the server's place and resolves with what it printed.
 *
 * @throws Error with what it complained of, where it fails
 */
export async function runAtHome(home: ServerHome, program: string, args: readonly string[]): Promise<string> {
  const options = { cwd: home.dir, env: home.env, timeout: INIT_TIMEOUT_MS, ...home.ids }
  try {
    return (await run(program, args, options)).stdout
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
    throw new Error(`${program} failed: ${text}`, { cause: error })
  }
}

/** Writes a file that only the server's account may read. */
export async function writeSecret(home: ServerHome, name: string, text: string): Promise<string> {
  const file = join(home.dir, name)
  await writeFile(file, text, { mode: 0o600 })
  if (home.ids.uid !== undefined && home.ids.gid !== undefined) {
    await chown(file, home.ids.uid, home.ids.gid)
  }
  return file
}

async function idsOf(names: readonly string[]): Promise<Ids> {
  for (const name of names) {
    const [uid, gid] = await Promise.all([idOf('-u', name), idOf('-g', name)])
    if (uid !== undefined && gid !== undefined) return { uid, gid }
  }
  throw new Error(`no account of ${names.join(', ')} to run a server as`)
}

async function idOf(option: string, name: string): Promise<number | undefined> {
  try {
    return Number((await run('id', [option, name])).stdout)
  } catch {
    return undefined
  }
}
