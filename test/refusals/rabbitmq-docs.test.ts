import { readFileSync } from 'node:fs'
import t from 'tap'
import { CASES } from '../conformance/cases.ts'
import { ELSEWHERE, HARMS } from './harms.ts'
import { RABBITMQ_PAGE, rabbitMqPage, REFUSAL_IDS } from './rabbitmq-docs.ts'

const page = await rabbitMqPage()

await t.test(
  'docs/rabbitmq.md says what the tests do (else: node --import tsx scripts/rabbitmq-docs.ts)',
  async (t) => {
    t.equal(readFileSync(RABBITMQ_PAGE, 'utf8'), page)
  },
)

await t.test('no two cases bear one id', async (t) => {
  t.same(REFUSAL_IDS, [...new Set(REFUSAL_IDS)])
})

await t.test('every row names tests that exist', async (t) => {
  const conformance = new Set(Object.values(CASES).flatMap((cases) => cases.map(({ id }) => id)))
  for (const { what, tests } of [...HARMS, ...ELSEWHERE]) {
    t.ok(tests.length > 0, what)
    for (const place of tests) {
      if ('conformance' in place) t.ok(conformance.has(place.conformance), place.conformance)
      else if ('refusal' in place) t.ok(REFUSAL_IDS.includes(place.refusal), place.refusal)
      else {
        const text = readFileSync(new URL(`../../${place.file}`, import.meta.url), 'utf8')
        t.ok(text.includes(place.holds), `${place.file}: ${place.holds}`)
      }
    }
  }
})
