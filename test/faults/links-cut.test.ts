import t from 'tap'
import { checkFault } from './check-fault.ts'
import { LINKS_CUT } from './links-cut.ts'

t.setTimeout(240_000)

await checkFault(t, LINKS_CUT)
