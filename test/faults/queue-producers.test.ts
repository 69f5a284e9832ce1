import t from 'tap'
import { checkFault } from './check-fault.ts'
import { QUEUE_PRODUCERS } from './queue-producers.ts'

t.setTimeout(240_000)

await checkFault(t, QUEUE_PRODUCERS)
