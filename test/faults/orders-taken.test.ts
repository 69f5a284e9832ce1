import t from 'tap'
import { checkFault } from './check-fault.ts'
import { ORDERS_TAKEN } from './orders-taken.ts'

t.setTimeout(240_000)

await checkFault(t, ORDERS_TAKEN)
