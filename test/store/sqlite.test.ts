import t from 'tap'
import { openStore } from '../../src/store/kysely/open-store.ts'
import { storeContract } from './contract.ts'

await storeContract(t, async (test) => {
  const url = `sqlite:${test.testdir()}/data/relay.db`
  const store = await openStore({ url, nodeId: 'node-1', lock: true })
  test.teardown(() => store.close())
  return store
})
