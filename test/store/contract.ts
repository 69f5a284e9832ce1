import type { Test } from 'tap'
import { auditContract } from './audit-contract.ts'
import { conversationsContract } from './conversation-contract.ts'
import { peopleContract } from './people-contract.ts'
import { totalsContract } from './totals-contract.ts'
import { entitiesContract } from './entity-contract.ts'
import { identitiesContract } from './identity-contract.ts'
import { nodesContract } from './node-contract.ts'
import { nodeStatusContract } from './node-status-contract.ts'
import { notificationsContract, sharedNotificationsContract } from './notification-contract.ts'
import { ordersContract } from './orders-contract.ts'
import { operationsContract, sharedOperationsContract } from './operation-contract.ts'
import { outboxContract } from './outbox-contract.ts'
import { presenceContract, sharedPresenceContract } from './presence-contract.ts'
import { requestsContract } from './request-contract.ts'
import { roomsContract, sharedRoomsContract } from './room-contract.ts'
import { severalNodesContract } from './several-nodes-contract.ts'
import { streamsContract } from './stream-contract.ts'
import type { TestDatabase } from './test-database.ts'
import { textsContract } from './text-contract.ts'
import { transactionsContract } from './transaction-contract.ts'
import { trimContract } from './trim-contract.ts'

export interface ContractOptions {
  /** Makes a database that goes with the test. */
  newDatabase(t: Test): Promise<TestDatabase>
  /** Whether several nodes may serve one database. */
  readonly servesSeveral: boolean
}

/** The port's suite: run by every dialect. */
export async function storeContract(t: Test, options: ContractOptions): Promise<void> {
  const newDatabase = (test: Test) => options.newDatabase(test)
  const open = async (test: Test) => (await newDatabase(test)).open('node-1')
  await entitiesContract(t, open)
  await ordersContract(t, open)
  await textsContract(t, open)
  await transactionsContract(t, open)
  await streamsContract(t, open)
  await trimContract(t, open)
  await outboxContract(t, newDatabase)
  await nodesContract(t, newDatabase)
  await presenceContract(t, newDatabase)
  await nodeStatusContract(t, newDatabase)
  await requestsContract(t, open)
  await identitiesContract(t, open)
  await auditContract(t, open)
  await peopleContract(t, open)
  await totalsContract(t, open)
  await notificationsContract(t, open)
  await conversationsContract(t, open)
  await roomsContract(t, open)
  if (!options.servesSeveral) return
  await severalNodesContract(t, newDatabase)
  await sharedPresenceContract(t, newDatabase)
  await sharedNotificationsContract(t, newDatabase)
  await sharedRoomsContract(t, newDatabase)
  await operationsContract(t, newDatabase)
  if (!options.servesSeveral) return
  await severalNodesContract(t, newDatabase)
  await sharedPresenceContract(t, newDatabase)
  await sharedOperationsContract(t, newDatabase)
}
