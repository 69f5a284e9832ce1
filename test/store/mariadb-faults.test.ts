import t from 'tap'
import { useMariaDb, useOwnMariaDb } from '../support/mariadb.ts'
import { serverFaults } from './server-faults.ts'

t.setTimeout(300_000)
await serverFaults(t, { kind: 'MariaDB', useShared: useMariaDb, useOwn: useOwnMariaDb })
