import { format, resolveConfig } from 'prettier'
import { SETTINGS } from '../../src/config/config.ts'

/** The page with the table of settings; `scripts/settings-docs.ts` writes that. */
export const README_PAGE = new URL('../../README.md', import.meta.url)

/** The text with everything between `<!-- begin settings -->` and `<!-- end settings -->` made anew. */
export async function withSettingsTable(text: string): Promise<string> {
  const between = /(<!-- begin settings -->\n)[^]*?(<!-- end settings -->)/
  if (!between.test(text)) throw new Error('README.md has no place for the settings')
  const out = text.replace(between, (_, begin: string, end: string) => `${begin}\n${table()}\n\n${end}`)
  return format(out, { ...(await resolveConfig(README_PAGE)), parser: 'markdown' })
}

function table(): string {
  const rows = Object.values(SETTINGS).map(
    ({ env, fallback, meaning }) => `| \`${env}\` | ${shown(fallback)} | ${meaning} |`,
  )
  return ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

function shown(fallback: unknown): string {
  const values = Array.isArray(fallback) ? fallback : [fallback]
  const text = values.filter((value) => value !== undefined).join(',')
  return text === '' ? '–' : `\`${text}\``
}
