import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import type { Store, StoreTransaction } from '../store.ts'
import { KyselyBroadcasts, KyselyMessages } from './entity-readers.ts'
import { KyselyDeadLetters } from './dead-letters.ts'
import { guarded } from './failures.ts'
import { KyselyAccounts, KyselySettings } from './identity.ts'
import { KyselyPeople } from './people.ts'
import { KyselyConversations } from './conversations.ts'
import { KyselyAudit } from './audit.ts'
import { KyselyLogins } from './logins.ts'
import { KyselyNotifications } from './notifications.ts'
import { KyselyOrders } from './orders.ts'
import { KyselyOperations } from './operations.ts'
import { KyselyOutbox } from './kysely-outbox.ts'
import { KyselyNodes } from './nodes.ts'
import { KyselyPresence } from './presence.ts'
import { KyselyRequests } from './requests.ts'
import { KyselyRooms } from './rooms.ts'
import { KyselyRoomHistory } from './room-history.ts'
import { endConnections, type StoreConnections } from './store-connections.ts'
import { KyselyStreamLog } from './stream-log.ts'
import { KyselyTotals } from './totals.ts'
import { TransactionQueue } from './transaction-queue.ts'

export interface KyselyStoreOptions {
  readonly connections: StoreConnections
  readonly nodeId: string
}

export class KyselyStore implements Store {
  readonly accounts: KyselyAccounts
  readonly settings: KyselySettings
  readonly messages: KyselyMessages
  readonly roomHistory: KyselyRoomHistory
  readonly broadcasts: KyselyBroadcasts
  readonly notifications: KyselyNotifications
  readonly orders: KyselyOrders
  readonly deadLetters: KyselyDeadLetters
  readonly log: KyselyStreamLog
  readonly outbox: KyselyOutbox
  readonly nodes: KyselyNodes
  readonly requests: KyselyRequests
  readonly presence: KyselyPresence
  readonly logins: KyselyLogins
  readonly audit: KyselyAudit
  readonly conversations: KyselyConversations
  readonly rooms: KyselyRooms
  readonly operations: KyselyOperations
  readonly people: KyselyPeople
  readonly totals: KyselyTotals
  readonly #connections: StoreConnections
  readonly #transactions: TransactionQueue
  /** Beside the others, where the database can do that: a crowd that connects holds up no message. */
  readonly #asides: TransactionQueue
  #epoch = ''
  #closing: Promise<void> | undefined

  private constructor(options: KyselyStoreOptions) {
    const { connections, nodeId } = options
    const { idiom, writer, reader, aside } = connections
    this.#connections = connections
    this.#transactions = new TransactionQueue({ writer, idiom, nodeId })
    this.#asides = new TransactionQueue({ writer: aside, idiom, nodeId })
    this.accounts = new KyselyAccounts(connections)
    this.settings = new KyselySettings(connections)
    this.messages = new KyselyMessages(reader)
    this.roomHistory = new KyselyRoomHistory(connections)
    this.broadcasts = new KyselyBroadcasts(reader)
    this.notifications = new KyselyNotifications(reader)
    this.orders = new KyselyOrders(reader)
    this.deadLetters = new KyselyDeadLetters(connections)
    this.log = new KyselyStreamLog(connections)
    this.nodes = new KyselyNodes(connections)
    this.requests = new KyselyRequests(connections)
    this.logins = new KyselyLogins(connections)
    this.audit = new KyselyAudit(connections)
    this.conversations = new KyselyConversations(reader)
    this.rooms = new KyselyRooms(reader)
    this.operations = new KyselyOperations(connections)
    this.people = new KyselyPeople(connections)
    this.totals = new KyselyTotals(reader)
    this.presence = new KyselyPresence({
      ...connections,
      transact: (work) => this.#asides.run((_tx, db) => work(db)),
    })
    this.outbox = new KyselyOutbox({
      ...connections,
      nodeId,
      nodes: this.nodes,
      transact: (work) => this.#transactions.run((_tx, db) => work(db)),
    })
  }

  /** The store of a database whose tables are up to date. Rejects with `store-unavailable`. */
  static async over(options: KyselyStoreOptions): Promise<KyselyStore> {
    const store = new KyselyStore(options)
    await store.refreshEpoch()
    return store
  }

  get epoch(): string {
    return this.#epoch
  }

  async refreshEpoch(): Promise<string> {
    this.#epoch = await this.settings.getOrCreate('epoch', () => randomBytes(6).toString('base64url'))
    return this.#epoch
  }

  transact<R>(work: (tx: StoreTransaction) => Promise<R>): Promise<R> {
    return this.#transactions.run(work)
  }

  async ping(): Promise<void> {
    await guarded(() => sql`select 1`.execute(this.#connections.aside))
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    await Promise.all([this.#transactions.close(), this.#asides.close()])
    await endConnections(this.#connections)
  }
}
