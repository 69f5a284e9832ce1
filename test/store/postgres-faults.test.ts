import t from 'tap'
import { useOwnPostgres, usePostgres } from '../support/postgres.ts'
import { serverFaults } from './server-faults.ts'

t.setTimeout(300_000)
await serverFaults(t, { kind: 'PostgreSQL', useShared: usePostgres, useOwn: useOwnPostgres })
