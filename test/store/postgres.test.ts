import t from 'tap'
import { usePostgres } from '../support/postgres.ts'
import { storeContract } from './contract.ts'
import { onServer } from './on-server.ts'

t.setTimeout(300_000)
await storeContract(t, onServer(usePostgres))
