import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startPrivateMariaDb } from '../databases/private-mariadb.ts'
import { startPrivatePostgres } from '../databases/private-postgres.ts'
import { startPrivateNode } from '../rabbitmq/private-node.ts'
import { sharedNodeVariable } from '../test/support/rabbitmq.ts'
import { TRAFFIC_FOLDER } from '../test/support/witness.ts'
import { ensureServices } from './install-services.ts'
import { ROOT, sourceFiles } from './source-files.ts'
import { countTap } from './tap-counts.ts'

/** Everything that must hold. `npm test -- PATTERN…` runs only the test files whose path contains one. */
const CHECKS: readonly (readonly [name: string, command: readonly string[]])[] = [
  ['format', ['node_modules/.bin/prettier', '--check', '--log-level', 'warn', '.']],
  ['lint', ['node_modules/.bin/oxlint', '--type-aware', '--deny-warnings']],
  ['types', ['node_modules/.bin/tsc', '--noEmit', '-p', '.']],
  ['types of protocol without Node', ['node_modules/.bin/tsc', '--noEmit', '-p', 'protocol']],
  ['import rules', ['--import', 'tsx', 'scripts/check-imports.ts']],
  ['dead code', ['node_modules/.bin/knip']],
  ['threat model', ['--import', 'tsx', 'scripts/check-security.ts']],
]

const TAP_OUTPUT = join(ROOT, '.tap/all.tap')

/** Runs a Node program and shows what it prints. Resolves with its exit code. */
function run(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] })
    child.on('error', () => resolve(1))
    child.on('close', (code) => resolve(code ?? 1))
  })
}

const failures: string[] = []
let passed = 0

async function check(name: string, args: readonly string[]): Promise<void> {
  const startedAt = Date.now()
  const isFine = (await run(args)) === 0
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
  process.stdout.write(`${isFine ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`)
  if (isFine) passed++
  else failures.push(name)
}

async function runTap(files: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  mkdirSync(join(ROOT, '.tap'), { recursive: true })
  rmSync(TAP_OUTPUT, { force: true })
  rmSync(TRAFFIC_FOLDER, { recursive: true, force: true })
  const code = await run(
    [
      'node_modules/.bin/tap',
      'run',
      '--reporter=terse',
      '--jobs=2',
      '--timeout=240',
      '--allow-incomplete-coverage',
      '--coverage-report=json',
      `--output-file=${TAP_OUTPUT}`,
      ...files,
    ],
    env,
  )
  const counts = countTap(readFileSync(TAP_OUTPUT, 'utf8'))
  passed += counts.passed
  failures.push(...counts.failed, ...counts.skipped.map((line) => `skipped: ${line}`))
  const isQuiet = code !== 0 && counts.failed.length === 0
  if (isQuiet) failures.push(`tap ended with ${code}`)
  process.stdout.write(`${counts.passed} tests passed, ${counts.failed.length} failed\n`)
}

/** One server of each kind for all test files; those that kill theirs start their own. */
async function withServers(act: (env: NodeJS.ProcessEnv) => Promise<void>): Promise<void> {
  const fast = { isDurable: false }
  const starting = [startPrivateNode(), startPrivatePostgres(fast), startPrivateMariaDb(fast)] as const
  try {
    const [rabbitMq, postgres, mariaDb] = await Promise.all(starting)
    await act({
      ...process.env,
      TEST_RABBITMQ: sharedNodeVariable(rabbitMq),
      TEST_POSTGRES: postgres.url,
      TEST_MARIADB: mariaDb.url,
    })
  } finally {
    // One that did not start left nothing, which is no reason to leave the others.
    const started = await Promise.allSettled(starting)
    await Promise.all(started.map(async (each) => each.status === 'fulfilled' && each.value.stop()))
  }
}

async function main(patterns: readonly string[]): Promise<void> {
  await ensureServices()
  const all = sourceFiles(['test']).filter((file) => file.endsWith('.test.ts'))
  const files = all.filter(
    (file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)),
  )
  if (patterns.length === 0) {
    for (const [name, args] of CHECKS) await check(name, args)
  }
  await withServers((env) => runTap(files, env))
  if (patterns.length > 0) return
  await check('coverage', ['--import', 'tsx', 'scripts/check-coverage.ts'])
  await check('described and seen', ['--import', 'tsx', 'scripts/check-traffic.ts'])
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  failures.push(error instanceof Error ? error.message : String(error))
}
for (const failure of failures) process.stdout.write(`failed: ${failure}\n`)
process.stdout.write(`${passed} passed, ${failures.length} failed\n`)
process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1
