// A process of its own, which asks one statement, and never closes its database.
import { SqliteThread } from '../../src/store/kysely/sqlite-thread.ts'
import { SLOW } from './sqlite-slow.ts'

const [, , path = '', how] = process.argv
const thread = await SqliteThread.open({ path, setup: '' })
process.disconnect()
// Behind the turn in which the statement was sent, and some way into it.
if (how === 'exit') setTimeout(() => process.exit(3), 50)
const { rows = [] } = await thread.execute(SLOW, [])
const [row] = rows as { n: number }[]
process.stdout.write(`answered ${row?.n}\n`)
