import { readdirSync, readFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { IsObject, type TSchema } from 'typebox'
import { VIOLATIONS, type ViolationRow } from '../../protocol/errors.ts'
import { exampleOf } from '../../protocol/example.ts'
import { PAYLOAD_HISTORY, PAYLOADS } from '../../protocol/payload-versions.ts'

const VECTORS = new URL('../../protocol/vectors/', import.meta.url)

/** The page that is partly generated; `scripts/protocol-docs.ts` writes it. */
export const PROTOCOL_PAGE = new URL('../../protocol/PROTOCOL.md', import.meta.url)

/** The text with everything between `<!-- begin NAME -->` and `<!-- end NAME -->` made anew. */
export async function withGeneratedParts(text: string): Promise<string> {
  const parts = { refusals: refusals(), payloads: payloads(), history: history() }
  let out = text
  for (const [name, content] of Object.entries(parts)) {
    const between = new RegExp(`(<!-- begin ${name} -->\n)[^]*?(<!-- end ${name} -->)`)
    if (!between.test(out)) throw new Error(`PROTOCOL.md has no place for ${name}`)
    out = out.replace(between, (_, begin: string, end: string) => `${begin}\n${content}\n\n${end}`)
  }
  return format(out, { ...(await resolveConfig(PROTOCOL_PAGE)), parser: 'markdown' })
}

export interface Field {
  readonly field: string
  readonly schema: TSchema
  readonly description: string
  readonly isRequired: boolean
}

export function fieldsOf(schema: TSchema): readonly Field[] {
  if (!IsObject(schema)) return []
  const required = new Set<string>(schema.required)
  return Object.entries(schema.properties).map(([field, of]) => ({
    field,
    schema: of,
    description: textOf(of, 'description'),
    isRequired: required.has(field),
  }))
}

function refusals(): string {
  const rows: readonly (readonly [string, ViolationRow])[] = Object.entries(VIOLATIONS)
  return [
    '| condition | code | ERROR `message` | close | come back by itself | tests |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows.map(
      ([code, row]) =>
        `| ${row.condition} | \`${code}\` | \`${row.message}\` | ${row.closeCode} | ${row.reconnect ? 'yes' : 'no'} | ${testsOf(code, row)} |`,
    ),
  ].join('\n')
}

function testsOf(code: string, row: ViolationRow): string {
  if (row.raisedBy === 'session') return '`test/session/`'
  const files = readdirSync(VECTORS).filter((name) =>
    readFileSync(new URL(name, VECTORS), 'utf8').includes(`"violation": "${code}"`),
  )
  if (files.length === 0) throw new Error(`no vector shows ${code}`)
  return files.map((name) => `[${name}](vectors/${name})`).join(', ')
}

function payloads(): string {
  return PAYLOADS.map(({ name, travels, schema }) =>
    [
      `### ${name}`,
      '',
      `${travels}. ${textOf(schema, 'description')}.`,
      '',
      '| field | | shape | meaning |',
      '| --- | --- | --- | --- |',
      ...fieldsOf(schema).map(
        ({ field, schema: of, description, isRequired }) =>
          `| \`${field}\` | ${isRequired ? 'required' : 'optional'} | ${shapeOf(of)} | ${description} |`,
      ),
      '',
      '```json',
      JSON.stringify(exampleOf(schema), undefined, 2),
      '```',
      '',
      '<details><summary>JSON Schema</summary>',
      '',
      '```json',
      JSON.stringify(schema, undefined, 2),
      '```',
      '',
      '</details>',
    ].join('\n'),
  ).join('\n\n')
}

function history(): string {
  return PAYLOAD_HISTORY.map(({ version, change }) => `${version}. ${change}`).join('\n')
}

/** The shape in a few words: type and bounds. */
function shapeOf(schema: TSchema): string {
  const entries = Object.entries(schema).filter(([key]) => !['description', 'examples'].includes(key))
  const words = entries.map(([key, value]) => {
    if (key === 'type') return `${value}`
    if (key === 'items' || key === 'patternProperties') return 'of anything'
    return `${key} \`${typeof value === 'string' ? value : JSON.stringify(value)}\``
  })
  return words.join(', ')
}

function textOf(schema: TSchema, key: 'description'): string {
  const value: unknown = Reflect.get(schema, key)
  return typeof value === 'string' ? value : ''
}
