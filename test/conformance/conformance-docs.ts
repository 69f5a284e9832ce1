import { format, resolveConfig } from 'prettier'
import { VERSIONS } from '../../protocol/version.ts'
import { CASES } from './cases.ts'
import { versionsOf, type ConformanceCase } from './conformance-case.ts'
import { JUDGED, type Judged } from './judged.ts'
import { EXTENSIONS } from './target.ts'
import { differenceOf } from './verdict.ts'

/** The generated page; `scripts/conformance-docs.ts` writes it. */
export const CONFORMANCE_PAGE = new URL('../../docs/conformance.md', import.meta.url)

const TARGETS: readonly Judged[] = Object.values(JUDGED)

const INTRODUCTION = `# STOMP conformance

What a STOMP server must do, clause by clause, and where each of three servers does otherwise. The page is
made from \`test/conformance\` by \`node --import tsx scripts/conformance-docs.ts\`; \`npm test\` runs the suite
over all three (RabbitMQ as Debian 12 installs it, 3.10.8) and fails for a difference that is not listed here, and for one that is listed and has gone.

Any STOMP-over-WebSocket server can be judged:
\`node --import tsx test/conformance/main.ts --url ws://HOST:PORT/PATH --login NAME --passcode TEXT\`
(without arguments it prints the rest). The suite reads and writes frames with a codec of its own. A refusal is
an ERROR with a \`message\`, no RECEIPT for the refused frame, and then a close (STOMP 1.2, "ERROR").

What the suite does not show: what outlives the restart of a broker (\`test/faults\` does), limits, and
what concerns \`/app\` and \`/user\`, which are the relay's own.`

/** The whole page. */
export async function conformancePage(): Promise<string> {
  const parts = [INTRODUCTION, differences(), offers(), ...Object.entries(CASES).map(subject)]
  return format(parts.join('\n\n'), { ...(await resolveConfig(CONFORMANCE_PAGE)), parser: 'markdown' })
}

function differences(): string {
  const tables = TARGETS.map(({ title, differences: known }) => {
    const rows = known.map(({ reason, cases, versions }) => {
      const ids = cases.map((id) => `\`${id}\``).join(', ')
      const where = versions === undefined ? '' : ` (only ${versions.join(', ')})`
      return `| ${reason} | ${ids}${where} |`
    })
    const body = rows.length === 0 ? ['None.'] : ['| reason | cases |', '| --- | --- |', ...rows]
    return [`### ${capitalised(title)}`, '', ...body].join('\n')
  })
  return ['## Known differences', ...tables].join('\n\n')
}

function offers(): string {
  const rows = Object.entries(EXTENSIONS).map(([name, meaning]) => {
    const marks = TARGETS.map(({ offers: own }) => ([...own].some((each) => each === name) ? 'yes' : '–'))
    return `| \`${name}\` | ${meaning} | ${marks.join(' | ')} |`
  })
  return ['## What each offers', '', head(['name', 'what']), ...rows].join('\n')
}

function subject([title, cases]: readonly [string, readonly ConformanceCase[]]): string {
  const rows = cases.map((one) => {
    const marks = TARGETS.map((judged) => mark(one, judged))
    return `| \`${one.id}\` | ${one.title} | ${one.clause} | ${spoken(one)} | ${marks.join(' | ')} |`
  })
  return [`## ${title}`, '', head(['case', 'the server …', 'clause', 'versions']), ...rows].join('\n')
}

function head(columns: readonly string[]): string {
  const all = [...columns, ...TARGETS.map(({ title }) => title)]
  return `| ${all.join(' | ')} |\n|${' --- |'.repeat(all.length)}`
}

function mark(one: ConformanceCase, { offers: own, differences: known }: Judged): string {
  if (!one.needs.every((extension) => own.has(extension))) return '–'
  const versions = versionsOf(one)
  const differing = versions.filter((version) => differenceOf({ id: one.id, version }, known) !== undefined)
  if (differing.length === 0) return 'yes'
  return differing.length === versions.length ? '**differs**' : `**differs** in ${differing.join(', ')}`
}

function spoken(one: ConformanceCase): string {
  const versions = versionsOf(one)
  return versions.length === VERSIONS.length ? 'all' : versions.join(', ')
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
