import t from 'tap'
import { usePostgres } from '../support/postgres.ts'
import { severalNodes } from './several-nodes.ts'

t.setTimeout(300_000)
await severalNodes(t, usePostgres)
