import { writeFileSync } from 'node:fs'
import { CONFORMANCE_PAGE, conformancePage } from '../test/conformance/conformance-docs.ts'

/**
 * Writes docs/conformance.md from the cases and the known differences of test/conformance.
 * `node --import tsx scripts/conformance-docs.ts`; a test fails while the page is stale.
 */
writeFileSync(CONFORMANCE_PAGE, await conformancePage())
