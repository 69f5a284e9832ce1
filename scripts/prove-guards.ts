import { parseArgs } from 'node:util'
import { readThreats } from './check-security.ts'
import { CodeCopy, type TestRun } from './code-copy.ts'
import { readGuards, without, type Guard } from './guards.ts'
import { ensureServices } from './install-services.ts'
import { TestWatch } from './test-watch.ts'

/*
 * Takes the guards of the threat model out of a copy of the code, one at a time, and demands each time that the
 * test fails which the threat model names: `npm run guards`, or `npm run guards -- --only TEXT` for those whose
 * threat, source or test holds the text.
 */

/** Suites that several test files run: here by the one that needs no server. */
const RUN_BY: Readonly<Record<string, string>> = {
  'test/paths/every-path.ts': 'test/paths/in-process.test.ts',
  'test/paths/order-passed-on.ts': 'test/paths/in-process.test.ts',
  'test/service/notification-changes.ts': 'test/service/notifications-in-process.test.ts',
  'test/service/orders.ts': 'test/service/orders-in-process.test.ts',
  'test/service/dead-letters.ts': 'test/service/orders-in-process.test.ts',
  'test/service/private-rooms.ts': 'test/service/chat-in-process.test.ts',
  'test/service/room-messages.ts': 'test/service/chat-in-process.test.ts',
  'test/service/private-messages.ts': 'test/service/chat-in-process.test.ts',
  'test/service/conversations.ts': 'test/service/chat-in-process.test.ts',
  'test/service/operations.ts': 'test/service/operations-in-process.test.ts',
  'test/service/room-exports.ts': 'test/service/operations-in-process.test.ts',
  'test/app/order-intake.ts': 'test/app/order-intake-memory.test.ts',
}

/** A test file that takes longer hangs, milliseconds; or more than twice what it takes as it is. */
const LIMIT_MS = 120_000

/** As it is in the sources; nothing is proved by a file that fails then. */
const UNCHANGED_LIMIT_MS = 600_000

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

interface Verdict {
  readonly word: string
  readonly isNoticed: boolean
}

/** What the end of a test file without a guard tells of the named test. */
function verdictOf({ code, isLate }: TestRun, watch: TestWatch): Verdict {
  if (watch.hasFailed) return { word: 'KILLED', isNoticed: true }
  // It does not even run, or another test ends the file before it: which tells nothing of the guard.
  if (!watch.hasBegun) return { word: 'NOT REACHED', isNoticed: false }
  if (watch.hasPassed || code === 0) return { word: 'SURVIVED', isNoticed: false }
  return { word: isLate ? 'KILLED (by time)' : 'KILLED (by the end of the process)', isNoticed: true }
}

function fileAndTitle(test: string): readonly [file: string, title: string] {
  const [file = '', title = ''] = test.split(/: (.*)/s)
  return [RUN_BY[file] ?? file, title]
}

/** Proves guards in a copy of the code. */
class Proof {
  readonly #copy: CodeCopy
  /** By file: how it ran with all guards. */
  readonly #unchanged = new Map<string, TestRun>()

  constructor(copy: CodeCopy) {
    this.#copy = copy
  }

  async prove(guard: Guard): Promise<Verdict & { readonly ms: number }> {
    const [file, title] = fileAndTitle(guard.test)
    const unchanged = await this.#runUnchanged(file)
    const before = new TestWatch(title)
    for (const line of unchanged.lines) before.read(line)
    if (unchanged.code !== 0 || !before.hasPassed) {
      return { word: 'FAILS AS IT IS', isNoticed: false, ms: unchanged.ms }
    }
    const watch = new TestWatch(title)
    const onLine = (line: string): boolean => {
      watch.read(line)
      return watch.hasFailed
    }
    const limitMs = Math.max(LIMIT_MS, 2 * unchanged.ms)
    const run = await this.#copy.changed(
      guard.source,
      (text) => without(guard, text),
      () => this.#copy.runTest(file, { limitMs, onLine }),
    )
    return { ...verdictOf(run, watch), ms: run.ms }
  }

  async #runUnchanged(file: string): Promise<TestRun> {
    const run = this.#unchanged.get(file) ?? (await this.#copy.runTest(file, { limitMs: UNCHANGED_LIMIT_MS }))
    this.#unchanged.set(file, run)
    return run
  }
}

/** The threats that each test is named for. */
function threatsByTest(): ReadonlyMap<string, readonly string[]> {
  const byTest = new Map<string, readonly string[]>()
  for (const { threat, tests } of readThreats()) {
    for (const { file, title } of tests) {
      const test = `${file}: ${title}`
      byTest.set(test, [...(byTest.get(test) ?? []), threat])
    }
  }
  return byTest
}

async function main(only: string): Promise<boolean> {
  const threats = threatsByTest()
  const guards = readGuards()
    .map((guard) => ({
      guard,
      about: [...(threats.get(guard.test) ?? []), guard.source, guard.test].join(' | '),
    }))
    .filter(({ about }) => about.includes(only))
  await ensureServices()
  const copy = await CodeCopy.make()
  let isStopped = false
  const stop = (): void => {
    isStopped = true
    copy.endTest()
  }
  for (const signal of STOP_SIGNALS) process.on(signal, stop)
  let noticed = 0
  let removed = 0
  try {
    const proof = new Proof(copy)
    for (const { guard, about } of guards) {
      const { word, isNoticed, ms } = await proof.prove(guard)
      if (isStopped) break
      removed += 1
      if (isNoticed) noticed += 1
      process.stdout.write(`${word} ${about} ${(ms / 1000).toFixed(1)} s\n`)
    }
  } finally {
    await copy.remove()
  }
  process.stdout.write(`${removed} guards removed, ${noticed} noticed, ${removed - noticed} not noticed\n`)
  return removed > 0 && noticed === removed && !isStopped
}

const { only } = parseArgs({ options: { only: { type: 'string', default: '' } } }).values
process.exitCode = (await main(only)) ? 0 : 1
