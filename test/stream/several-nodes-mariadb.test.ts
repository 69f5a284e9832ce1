import t from 'tap'
import { useMariaDb } from '../support/mariadb.ts'
import { severalNodes } from './several-nodes.ts'

t.setTimeout(300_000)
await severalNodes(t, useMariaDb)
