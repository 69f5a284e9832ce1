import t from 'tap'
import { checkFault } from './check-fault.ts'
import { HALF_OPEN } from './half-open.ts'

t.setTimeout(240_000)

await checkFault(t, HALF_OPEN)
