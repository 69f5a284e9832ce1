import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
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

/** Every row of the threat model names tests that exist. */
function checkSecurity(): boolean {
  const threats = threatsOf(readFileSync(join(ROOT, 'SECURITY.md'), 'utf8'))
  const faults = faultsOf(threats, (file) => {
    const path = join(ROOT, file)
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined
  })
  for (const fault of faults) process.stdout.write(`${fault}\n`)
  process.stdout.write(`${threats.length} threats, ${faults.length} faults\n`)
  return faults.length === 0
}

if (process.argv[1]?.endsWith('check-security.ts') === true) process.exitCode = checkSecurity() ? 0 : 1
