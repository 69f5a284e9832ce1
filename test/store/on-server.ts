import type { Test } from 'tap'
import { openStore } from '../../src/store/kysely/open-store.ts'
import type { ContractOptions } from './contract.ts'

/** The contract over databases of a server; `useServer` answers the URL of an empty one. */
export function onServer(useServer: (t: Test) => Promise<string>): ContractOptions {
  return {
    servesSeveral: true,
    newDatabase: async (test) => {
      const url = await useServer(test)
      return {
        open: async (nodeId) => {
          const store = await openStore({ url, nodeId, lock: true })
          test.teardown(() => store.close())
          return store
        },
      }
    },
  }
}
