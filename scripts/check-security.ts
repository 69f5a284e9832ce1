import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readGuards, type Guard } from './guards.ts'
import { ROOT } from './source-files.ts'

/** A row of the threat model. */
interface Threat {
  readonly threat: string
  /** What its last cell names, a file and a title each. */
  readonly tests: readonly { readonly file: string; readonly title: string }[]
}

const FEWEST_THREATS = 10

/** The rows of the tables of a Markdown text, heads aside. The last cell holds `` `file`: title `` parts by `<br>`. */
export function threatsOf(markdown: string): readonly Threat[] {
  const visible = markdown.replaceAll(/<!--[^]*?-->/g, '')
  const section = /^## Threat model$([^]*?)(?=^## |$(?![^]))/m.exec(visible)?.[1] ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('|') && !/^\|[\s|:-]+$/.test(line))
  return rows.slice(1).map((row) => {
    const cells = row.split('|').slice(1, -1)
    const tests = (cells.at(-1) ?? '').split('<br>').flatMap((part) => {
      const [, file, title] = /^\s*`([^`]+)`: (.+?)\s*$/.exec(part) ?? []
      return file === undefined || title === undefined ? [] : [{ file, title }]
    })
    return { threat: (cells[0] ?? '').trim(), tests }
  })
}

/** What is wrong with the rows: no test, a file that is not there, a title that is not in it. */
export function faultsOf(
  threats: readonly Threat[],
  read: (file: string) => string | undefined,
): readonly string[] {
  const faults = threats.flatMap(({ threat, tests }) => {
    if (tests.length === 0) return [`${threat}: names no test`]
    return tests.flatMap(({ file, title }) => {
      const text = read(file)
      if (text === undefined) return [`${threat}: there is no ${file}`]
      const isThere = ["'", '"', '`'].some((quote) => text.includes(`${quote}${title}${quote}`))
      return isThere ? [] : [`${threat}: ${file} has no test "${title}"`]
    })
  })
  return threats.length < FEWEST_THREATS ? [...faults, `only ${threats.length} threats seen`] : faults
}

/** What is wrong with the table of guards: a test without any, one of no row, a text that is not there once. */
export function faultsOfGuards(
  threats: readonly Threat[],
  guards: readonly Guard[],
  read: (file: string) => string | undefined,
): readonly string[] {
  const guarded = new Set(guards.map(({ test }) => test))
  const named = threats.flatMap(({ threat, tests }) =>
    tests.map(({ file, title }) => ({ threat, test: `${file}: ${title}` })),
  )
  const known = new Set(named.map(({ test }) => test))
  return [
    ...named
      .filter(({ test }) => !guarded.has(test))
      .map(({ threat, test }) => `${threat}: no guard is named for ${test}`),
    ...guards.flatMap(({ test, source, take }) => {
      const times = (read(source) ?? '').split(take).length - 1
      return [
        ...(known.has(test) ? [] : [`the guards: no threat names ${test}`]),
        ...(times === 1 ? [] : [`the guards: ${source} holds ${times} times: ${take}`]),
      ]
    }),
  ]
}

export function readThreats(): readonly Threat[] {
  return threatsOf(readFileSync(join(ROOT, 'SECURITY.md'), 'utf8'))
}

function readSource(file: string): string | undefined {
  const path = join(ROOT, file)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

/** Every row of the threat model names tests that exist, and each of them has a guard that can be taken out. */
function checkSecurity(): boolean {
  const threats = readThreats()
  const guards = readGuards()
  const faults = [...faultsOf(threats, readSource), ...faultsOfGuards(threats, guards, readSource)]
  for (const fault of faults) process.stdout.write(`${fault}\n`)
  process.stdout.write(`${threats.length} threats, ${guards.length} guards, ${faults.length} faults\n`)
  return faults.length === 0
}

if (process.argv[1]?.endsWith('check-security.ts') === true) process.exitCode = checkSecurity() ? 0 : 1
