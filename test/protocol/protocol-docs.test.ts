import { readFileSync } from 'node:fs'
import t from 'tap'
import { RESERVED_SEND_HEADERS } from '../../protocol/headers.ts'
import { PROTOCOL_PAGE, withGeneratedParts } from '../support/protocol-docs.ts'

const text = readFileSync(PROTOCOL_PAGE, 'utf8')

await t.test(
  'PROTOCOL.md says what the code does (else: node --import tsx scripts/protocol-docs.ts)',
  async (t) => {
    t.equal(text, await withGeneratedParts(text))
  },
)

await t.test('a stale table is noticed', async (t) => {
  const stale = text.replace('`missing-nul`', '`missing-nothing`')
  t.not(stale, text)
  t.equal(await withGeneratedParts(stale), text)
})

await t.test('a page without a place for a table is refused', async (t) => {
  await t.rejects(withGeneratedParts(text.replace('<!-- end payloads -->', '')), /no place for payloads/)
})

await t.test('PROTOCOL.md names every header that is kept from subscribers', async (t) => {
  const lower = text.toLowerCase()
  for (const name of RESERVED_SEND_HEADERS) t.ok(lower.includes(`\`${name}\``), name)
})
