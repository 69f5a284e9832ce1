import { writeFileSync } from 'node:fs'
import { RABBITMQ_PAGE, rabbitMqPage } from '../test/refusals/rabbitmq-docs.ts'

/**
 * Writes docs/rabbitmq.md from the refusals and harms of test/refusals.
 * `node --import tsx scripts/rabbitmq-docs.ts`; a test fails while the page is stale.
 */
writeFileSync(RABBITMQ_PAGE, await rabbitMqPage())
