import t from 'tap'
import { checkFault } from './check-fault.ts'
import { QUEUE_CONSUMERS } from './queue-consumers.ts'

t.setTimeout(240_000)

await checkFault(t, QUEUE_CONSUMERS)
