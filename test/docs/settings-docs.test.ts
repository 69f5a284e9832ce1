import { readFileSync } from 'node:fs'
import t from 'tap'
import { SETTINGS } from '../../src/config/config.ts'
import { README_PAGE, withSettingsTable } from '../support/settings-docs.ts'

const text = readFileSync(README_PAGE, 'utf8')

await t.test(
  'README.md names the settings of the code (else: node --import tsx scripts/settings-docs.ts)',
  async (t) => {
    t.equal(text, await withSettingsTable(text))
    for (const { env } of Object.values(SETTINGS)) t.ok(text.includes(`\`${env}\``), env)
  },
)

await t.test('a stale table is noticed', async (t) => {
  const stale = text.replace('| `10000`', '| `10001`')
  t.not(stale, text)
  t.equal(await withSettingsTable(stale), text)
})

await t.test('a page without a place for the table is refused', async (t) => {
  await t.rejects(withSettingsTable(text.replace('<!-- end settings -->', '')), /no place for the settings/)
})
