import t from 'tap'
import { checkFault } from './check-fault.ts'
import { BROKER_KILLED } from './broker-killed.ts'

t.setTimeout(240_000)

await checkFault(t, BROKER_KILLED)
