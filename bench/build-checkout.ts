import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

const SOURCES = ['protocol', 'src']

/**
 * Compiles a checkout's servers into its `dist` where that is missing or older than a source file.
 * @throws Error with the compiler's words
 */
export async function buildCheckout(checkout: string): Promise<void> {
  if (!(await isStale(checkout))) return
  const compiler = join(checkout, 'node_modules/typescript/bin/tsc')
  const result = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: checkout,
    encoding: 'utf8',
  })
  if (result.status === 0) return
  // The compiler writes what it can: a fault in a file that no server loads is no reason to stop.
  if (await isStale(checkout)) throw new Error(`the build failed: ${result.stdout}${result.stderr}`)
  console.error(result.stdout)
}

async function isStale(checkout: string): Promise<boolean> {
  const built = join(checkout, 'dist/src/main.js')
  if (!existsSync(built)) return true
  const { mtimeMs } = await stat(built)
  for (const source of SOURCES) {
    const names = await readdir(join(checkout, source), { recursive: true })
    const stats = await Promise.all(names.map(async (name) => stat(join(checkout, source, name))))
    if (stats.some((entry) => entry.isFile() && entry.mtimeMs > mtimeMs)) return true
  }
  return false
}
