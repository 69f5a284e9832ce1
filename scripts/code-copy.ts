import { spawn, type ChildProcess } from 'node:child_process'
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { plainEnvironment } from '../test/support/plain-environment.ts'
import { ROOT } from './source-files.ts'

export interface TestRun {
  /** Null where a signal ended it. */
  readonly code: number | null
  readonly isLate: boolean
  readonly ms: number
  readonly lines: readonly string[]
}

export interface RunOptions {
  /** Beyond it the file is ended. */
  readonly limitMs: number
  /** Hears each line of TAP. @returns whether that was enough, so that the file may be ended */
  readonly onLine?: (line: string) => boolean
}

const NOT_COPIED: ReadonlySet<string> = new Set(['node_modules', '.git', '.tap', 'dist', 'data'])

/** tap ends a file by then, seconds, and says what was under way, unless the file sets a bound of its own. */
const TAP_TIMEOUT_S = 60

/** How long tests wait for what does not come: most wait for just that, and need not wait for long. */
const PATIENCE = 'PATIENCE_MS = 60_000'
const LESS_PATIENCE = 'PATIENCE_MS = 20_000'

function isCopied(path: string): boolean {
  return !NOT_COPIED.has(relative(ROOT, path))
}

/** A copy of the repository in a temporary folder: its code may be changed, and its tests run. */
export class CodeCopy {
  readonly #folder: string
  #child: ChildProcess | undefined

  private constructor(folder: string) {
    this.#folder = folder
  }

  static async make(): Promise<CodeCopy> {
    const copy = new CodeCopy(await mkdtemp(join(tmpdir(), 'guards-')))
    // A database server that tests start may run as another user.
    await chmod(copy.#folder, 0o755)
    await mkdir(copy.#temporary, { mode: 0o777 })
    await cp(ROOT, copy.#root, { recursive: true, filter: isCopied })
    await symlink(await realpath(join(ROOT, 'node_modules')), join(copy.#root, 'node_modules'))
    await copy.#makeImpatient()
    return copy
  }

  /** Runs something while a file is another. */
  async changed<T>(file: string, change: (text: string) => string, act: () => Promise<T>): Promise<T> {
    const path = join(this.#root, file)
    const text = await readFile(path, 'utf8')
    await writeFile(path, change(text))
    try {
      return await act()
    } finally {
      await writeFile(path, text)
    }
  }

  /** One at a time. */
  async runTest(file: string, { limitMs, onLine = () => false }: RunOptions): Promise<TestRun> {
    const begunMs = performance.now()
    const env = { ...plainEnvironment(), TAP_TIMEOUT: String(TAP_TIMEOUT_S), TMPDIR: this.#temporary }
    const child = spawn(process.execPath, ['--import', 'tsx', file], {
      cwd: this.#root,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    const lines: string[] = []
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      if (onLine(line)) this.endTest()
    })
    createInterface({ input: child.stderr }).on('line', (line) => lines.push(line))
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      this.endTest()
    }, limitMs)
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    })
    clearTimeout(timer)
    return { code, isLate, ms: performance.now() - begunMs, lines }
  }

  /** With all that it has started; servers of its own end with it. Does nothing where none runs. */
  endTest(): void {
    const child = this.#child
    if (child?.pid === undefined) return
    try {
      // Also where only what it started is left, and holds its output open.
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // All of it is gone.
    }
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  get #root(): string {
    return join(this.#folder, 'code')
  }

  get #temporary(): string {
    return join(this.#folder, 'tmp')
  }

  async #makeImpatient(): Promise<void> {
    const support = 'test/support'
    for (const name of await readdir(join(this.#root, support))) {
      const path = join(this.#root, support, name)
      const text = await readFile(path, 'utf8')
      await writeFile(path, text.replace(PATIENCE, LESS_PATIENCE))
    }
  }
}
