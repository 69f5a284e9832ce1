import type { Store } from '../../src/store/store.ts'

/** An empty database, until the first store is opened on it. */
export interface TestDatabase {
  /** A store that ends with the test. The first is a server; another one is where the database can serve two. */
  open(nodeId: string): Promise<Store>
}
