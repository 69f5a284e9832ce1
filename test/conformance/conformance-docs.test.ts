import { readFileSync } from 'node:fs'
import t from 'tap'
import { CASES } from './cases.ts'
import { CONFORMANCE_PAGE, conformancePage } from './conformance-docs.ts'
import { JUDGED } from './judged.ts'

const page = await conformancePage()

await t.test(
  'docs/conformance.md says what the suite does (else: node --import tsx scripts/conformance-docs.ts)',
  async (t) => {
    t.equal(readFileSync(CONFORMANCE_PAGE, 'utf8'), page)
  },
)

await t.test('no two cases bear one id', async (t) => {
  const ids = Object.values(CASES).flatMap((cases) => cases.map(({ id }) => id))
  t.same(ids, [...new Set(ids)])
})

await t.test('the page gives a reason for each difference', async (t) => {
  for (const { differences } of Object.values(JUDGED)) {
    for (const { reason } of differences) t.ok(page.includes(reason), reason)
  }
})
