import { spawnSync } from 'node:child_process'
import { ROOT, sourceFiles } from './source-files.ts'

const FOLDERS = ['protocol', 'src', 'test', 'bench', 'examples']

interface CruiseResult {
  readonly summary: {
    readonly violations: readonly { from: string; to: string; rule: { name: string } }[]
  }
  readonly modules: readonly { source: string }[]
}

/** Import rules. Also fails when it saw fewer modules than there are, since a check that sees nothing passes. */
function checkImports(): boolean {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      'node_modules/.bin/depcruise',
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'json',
      ...FOLDERS,
    ],
    { cwd: ROOT, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  )
  if (stdout === '') {
    process.stderr.write(stderr)
    return false
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the tool's documented output
  const result = JSON.parse(stdout) as CruiseResult
  const seen = new Set(result.modules.map(({ source }) => source))
  const missed = sourceFiles(FOLDERS).filter((file) => !seen.has(file))
  for (const { rule, from, to } of result.summary.violations)
    process.stdout.write(`${rule.name}: ${from} -> ${to}\n`)
  for (const file of missed) process.stdout.write(`not seen by the import check: ${file}\n`)
  process.stdout.write(`${seen.size} modules seen, ${result.summary.violations.length} violations\n`)
  return result.summary.violations.length === 0 && missed.length === 0
}

process.exitCode = checkImports() ? 0 : 1
