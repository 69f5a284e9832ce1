import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import process, { env } from 'node:process'
import { createInterface } from 'node:readline/promises'
import { pathToFileURL } from 'node:url'
import { findMariaDbProgram, findPostgresProgram } from '../databases/find-program.ts'
import { SCRIPTS } from '../rabbitmq/ctl.ts'
import { findOnPath } from '../test/support/find-on-path.ts'
import { withFileInPlace } from './file-in-place.ts'

/** One server that the tests run against. */
interface Service {
  readonly name: string
  /** The programs without which the tests cannot run it. */
  readonly programs: readonly string[]
  readonly find: (program: string) => string | undefined
  /** What Debian and Ubuntu call it. */
  readonly debianPackages: readonly string[]
}

const SERVICES: readonly Service[] = [
  {
    name: 'RabbitMQ 3.10 or later, with its STOMP and Web STOMP plugins',
    programs: [`${SCRIPTS}/rabbitmq-server`],
    find: (file) => (existsSync(file) ? file : undefined),
    debianPackages: ['rabbitmq-server'],
  },
  {
    name: 'PostgreSQL 13 or later, its server',
    programs: ['initdb', 'postgres'],
    find: findPostgresProgram,
    // There is none without a cluster of its own, `main`: it is made, and kept from starting now.
    debianPackages: ['postgresql'],
  },
  {
    name: 'MariaDB 10.5 or later, its server',
    programs: ['mariadbd', 'mariadb-install-db', 'my_print_defaults'],
    find: findMariaDbProgram,
    // The programs alone, without the service, its account and its data.
    debianPackages: ['mariadb-server-core', 'mariadb-client-core'],
  },
  {
    name: 'Chromium, for the tests of what browsers do',
    programs: ['chromium'],
    find: findOnPath,
    debianPackages: ['chromium'],
  },
  {
    name: 'curl, for a test of server-sent events',
    programs: ['curl'],
    find: findOnPath,
    debianPackages: ['curl'],
  },
]

/** Debian's maintainer scripts ask this file before they start a service; 101 means: do not. */
const POLICY_FILE = '/usr/sbin/policy-rc.d'
const POLICY = '#!/bin/sh\nexit 101\n'

/** Nothing that is installed may have to go: a MySQL would, for MariaDB. */
const INSTALL = ['install', '-y', '--no-install-recommends', '--no-remove']

/**
 * Makes sure the servers that the tests need are installed. As root on Debian or Ubuntu it installs
 * what is missing: with `CI` set at once, on a terminal after asking.
 *
 * @throws Error naming exactly what to install, where it may not or cannot do so
 */
export async function ensureServices(): Promise<void> {
  const missing = missingServices()
  if (missing.length === 0) return
  const refusal = cannotInstall()
  if (refusal !== undefined) throw new Error(whatToInstall(missing, refusal))
  if (!(await isAllowed(missing))) throw new Error(whatToInstall(missing, 'you were asked and said no'))
  await install(packagesOf(missing))
  const still = missingServices()
  if (still.length > 0) throw new Error(whatToInstall(still, 'apt-get ran, and it is still not there'))
}

function missingServices(): Service[] {
  return SERVICES.filter((service) => missingPrograms(service).length > 0)
}

function missingPrograms({ programs, find }: Service): string[] {
  return programs.filter((program) => find(program) === undefined)
}

function packagesOf(services: readonly Service[]): string[] {
  return services.flatMap((service) => service.debianPackages)
}

function cannotInstall(): string | undefined {
  if (!existsSync('/etc/debian_version') || !existsSync('/usr/bin/apt-get')) {
    return 'this is not Debian or Ubuntu'
  }
  if (process.getuid?.() !== 0) return 'that needs root'
  if (!isUnattended() && !process.stdin.isTTY) return 'there is no terminal to ask on, and CI is not set'
  return undefined
}

function isUnattended(): boolean {
  return env['CI'] !== undefined && env['CI'] !== '' && env['CI'] !== 'false'
}

async function isAllowed(missing: readonly Service[]): Promise<boolean> {
  if (isUnattended()) return true
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    const packages = packagesOf(missing).join(' ')
    const answer = await terminal.question(`The tests need ${packages}. Install with apt-get now? [y/N] `)
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}

function whatToInstall(missing: readonly Service[], reason: string): string {
  return [
    `The tests need servers that are not installed (${reason}):`,
    ...missing.map((service) => `  - ${service.name} (looked for ${missingPrograms(service).join(', ')})`),
    'On Debian or Ubuntu, as root:',
    `  apt-get update && apt-get ${[...INSTALL, ...packagesOf(missing)].join(' ')}`,
  ].join('\n')
}

async function install(packages: readonly string[]): Promise<void> {
  await withFileInPlace({ path: POLICY_FILE, content: POLICY, mode: 0o755 }, async (stopped) => {
    await aptGet(['update'], stopped)
    await aptGet([...INSTALL, ...packages], stopped)
  })
}

async function aptGet(args: readonly string[], stopped: AbortSignal): Promise<void> {
  stopped.throwIfAborted()
  const child = spawn('/usr/bin/apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  // It would go on, and start services once the policy is gone.
  stopped.addEventListener('abort', () => child.kill('SIGTERM'))
  const status = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code === null ? String(signal) : String(code)))
  })
  if (status !== '0') throw new Error(`apt-get ${args.join(' ')} ended with ${status}`)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await ensureServices()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
