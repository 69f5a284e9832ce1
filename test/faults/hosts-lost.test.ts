import t from 'tap'
import { checkFault } from './check-fault.ts'
import { HOSTS_LOST } from './hosts-lost.ts'

t.setTimeout(240_000)

await checkFault(t, HOSTS_LOST)
