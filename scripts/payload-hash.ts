import { createHash } from 'node:crypto'
import { payloadsCanon } from '../protocol/payload-versions.ts'

/** Prints what the last line of `PAYLOAD_HISTORY` has to say while its version is not released. */
console.log(createHash('sha256').update(payloadsCanon()).digest('hex'))
