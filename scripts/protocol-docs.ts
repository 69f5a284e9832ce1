import { readFileSync, writeFileSync } from 'node:fs'
import { PROTOCOL_PAGE, withGeneratedParts } from '../test/support/protocol-docs.ts'

/**
 * Writes the parts of protocol/PROTOCOL.md that code decides: the refusals and the payloads.
 * `node --import tsx scripts/protocol-docs.ts`; a test fails while the page is stale.
 */
writeFileSync(PROTOCOL_PAGE, await withGeneratedParts(readFileSync(PROTOCOL_PAGE, 'utf8')))
