import t from 'tap'
import { useMariaDb } from '../support/mariadb.ts'
import { storeContract } from './contract.ts'
import { onServer } from './on-server.ts'

t.setTimeout(300_000)
await storeContract(t, onServer(useMariaDb))
