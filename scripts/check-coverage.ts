import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hasCode, ROOT, sourceFiles } from './source-files.ts'

/** The folders whose every line and branch is tested. */
const COMPLETE = ['protocol', 'src/session', 'src/inbound', 'src/fanout']

interface FileCoverage {
  readonly path: string
  readonly s: Readonly<Record<string, number>>
  readonly b: Readonly<Record<string, readonly number[]>>
  readonly statementMap: Readonly<Record<string, { start: { line: number } }>>
  readonly branchMap: Readonly<Record<string, { loc: { start: { line: number } } }>>
}

function faultsOf(coverage: FileCoverage): string[] {
  const lines = Object.entries(coverage.s)
    .filter(([, hits]) => hits === 0)
    .map(([id]) => `line ${coverage.statementMap[id]?.start.line}`)
  const branches = Object.entries(coverage.b)
    .filter(([, hits]) => hits.includes(0))
    .map(([id]) => `branch at line ${coverage.branchMap[id]?.loc.start.line}`)
  return [...lines, ...branches]
}

interface RawCoverage {
  readonly result: readonly {
    url: string
    functions: readonly { ranges: readonly { endOffset: number }[] }[]
  }[]
}

/** Bytes of each module as the processes ran it: more than one number tells of different compilations. */
function lengthsOf(files: readonly string[]): Map<string, Set<number>> {
  const lengths = new Map(files.map((file) => [file, new Set<number>()]))
  const folder = join(ROOT, '.tap/coverage')
  for (const name of readdirSync(folder)) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- V8's documented format
    const raw = JSON.parse(readFileSync(join(folder, name), 'utf8')) as RawCoverage
    for (const { url, functions } of raw.result) {
      const ends = functions.map(({ ranges }) => ranges[0]?.endOffset ?? 0)
      lengths.get(relative(ROOT, fileURLToPath(url)))?.add(Math.max(...ends))
    }
  }
  return lengths
}

/** Fails where a module of the complete folders was never loaded, or a line or branch never ran. */
function checkCoverage(): boolean {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Istanbul's documented format
  const report = JSON.parse(readFileSync(join(ROOT, '.tap/report/coverage-final.json'), 'utf8')) as Record<
    string,
    FileCoverage
  >
  const byFile = new Map(Object.values(report).map((coverage) => [relative(ROOT, coverage.path), coverage]))
  const files = sourceFiles(COMPLETE).filter((file) => hasCode(file))
  const lengths = lengthsOf(files)
  const faults = files.flatMap((file) => {
    const coverage = byFile.get(file)
    if ((lengths.get(file)?.size ?? 0) > 1)
      return [`${file}: counted in processes that compiled it differently`]
    return (coverage === undefined ? ['never loaded'] : faultsOf(coverage)).map(
      (fault) => `${file}: ${fault}`,
    )
  })
  for (const fault of faults) process.stdout.write(`${fault}\n`)
  process.stdout.write(`${files.length} modules of ${COMPLETE.join(', ')}: ${faults.length} gaps\n`)
  return faults.length === 0
}

process.exitCode = checkCoverage() ? 0 : 1
