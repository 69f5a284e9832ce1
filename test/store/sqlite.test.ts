import t from 'tap'
import { openStore } from '../../src/store/kysely/open-store.ts'
import { storeContract } from './contract.ts'

t.setTimeout(300_000)
await storeContract(t, {
  servesSeveral: false,
  newDatabase: async (test) => {
    const url = `sqlite:${test.testdir()}/data/relay.db`
    let isServed = false
    return {
      open: async (nodeId) => {
        const store = await openStore({ url, nodeId, lock: !isServed })
        isServed = true
        test.teardown(() => store.close())
        return store
      },
    }
  },
})
