import { readFileSync, writeFileSync } from 'node:fs'
import { README_PAGE, withSettingsTable } from '../test/support/settings-docs.ts'

/**
 * Writes the table of settings in README.md from the one in src/config/config.ts.
 * `node --import tsx scripts/settings-docs.ts`; a test fails while the page is stale.
 */
writeFileSync(README_PAGE, await withSettingsTable(readFileSync(README_PAGE, 'utf8')))
