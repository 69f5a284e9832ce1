import cluster from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { Teardown } from './lib/teardown.ts'
import { registerApi } from './http/register-api.ts'
import { registerIdentity } from './http/register-identity.ts'
import { registerFeeds } from './http/routes/feeds.ts'
import { registerDescriptions } from './http/description/register-descriptions.ts'
import { registerProbes } from './http/routes/probes.ts'
import { registerWelcome } from './http/routes/welcome.ts'
import { addressOf } from './http/address-of.ts'
import { registerEdge } from './http/edge/register-edge.ts'
import { reloadTls } from './http/edge/reload-tls.ts'
import { serverOptions } from './http/edge/server-options.ts'
import { listen } from './http/listen.ts'
import { createServer } from './http/server.ts'
import { createConnections } from './connection/create-connections.ts'
import { Attempts } from './lib/attempts.ts'
import { Users } from './user/users.ts'
import { authenticate } from './inbound/interceptors/authenticate.ts'
import { audited } from './inbound/interceptors/audited.ts'
import { authorize } from './inbound/interceptors/authorize.ts'
import { rateLimit } from './inbound/interceptors/rate-limit.ts'
import { Inbound } from './inbound/inbound.ts'
import { createDeliveryReceipts } from './app/chat/delivery-receipts.ts'
import { createApp } from './app/create-app.ts'
import { LongOperations } from './app/operations/long-operations.ts'
import type { Operations } from './app/operations/operations.ts'
import { OrderIntake } from './app/orders/order-intake.ts'
import { Hub } from './fanout/hub.ts'
import { hubLog } from './fanout/hub-log.ts'
import type { StoredDelivery } from './stream/tell-first.ts'
import { StreamReader } from './stream/stream-reader.ts'
import { Streams } from './stream/streams.ts'
import type { Broker } from './broker/broker.ts'
import { mirrorBroker } from './broker/broker-metrics.ts'
import { brokerState, createBroker } from './broker/create-broker.ts'
import type { Store } from './store/store.ts'
import { openStore } from './store/kysely/open-store.ts'
import { noteCommand } from './auth/note-command.ts'
import { openBuiltIn, openIdentity, type BuiltIn, type Identity } from './auth/identity.ts'
import type { EndedListener } from './auth/logins.ts'
import type { PolicyFacts } from './auth/policy.ts'
import { policyFacts } from './auth/policy-facts.ts'
import { RoomSight } from './auth/room-sight.ts'
import { describeBrokerUrl } from './config/broker-url.ts'
import { describeDatabaseUrl } from './config/database-url.ts'
import type { Config } from './config/config.ts'
import { createMetrics, mirrorCounts, mirrorGauge, type Metrics } from './telemetry/metrics.ts'
import type { Log } from './telemetry/log.ts'
import { VERSION } from './version.ts'

const SERVER_NAME = `stomp-relay/${VERSION}`
/** A database that starts together with its nodes may be a little later than they. */
const DATABASE_WAIT_MS = 30_000

/** A node that serves. */
export interface Relay {
  /** `http://HOST:PORT`, or `https:`, with the port that was picked. */
  readonly address: string
  /** For the log and for people: which broker and database are in use. No credentials. */
  readonly broker: string
  readonly database: string
  /** Reads certificate and key again. Never throws. */
  reloadTls(): void
  /** Closes sessions, lets what is under way finish, and ends all links. Idempotent. */
  close(): Promise<void>
}

/**
 * What a process of its own making may put around the ports before anything is wired to them, to see
 * what passes or to make it fail.
 */
export interface PortDecorators {
  readonly store?: (store: Store) => Store
  readonly broker?: (broker: Broker) => Broker
}

/** For the command line. */
export interface OpenAccounts extends BuiltIn {
  /** Writes down what was done. Rejects with `store-unavailable`. */
  readonly note: (about: string) => Promise<void>
  close(): Promise<void>
}

/**
 * Opens the database and the accounts in it, beside a running server if there is one, for the command line.
 *
 * @throws NodeError where the database cannot be opened, or an identity provider has the accounts
 */
export async function openAccounts(config: Config): Promise<OpenAccounts> {
  const store = await openStore({ url: config.databaseUrl, nodeId: config.nodeId, lock: false })
  const note = (about: string): Promise<void> => noteCommand(store, config.nodeId, about)
  try {
    return { ...(await openBuiltIn(store, config)), note, close: () => store.close() }
  } catch (error) {
    await store.close()
    throw error
  }
}

/**
 * Wires a node: what a part needs is made before it, and closed after it.
 *
 * @throws NodeError where the database cannot be opened or the port is taken. A broker that is away is
 * no reason not to start.
 */
export async function startRelay(config: Config, log: Log, around: PortDecorators = {}): Promise<Relay> {
  const teardown = new Teardown()
  try {
    return await wire({ config, log, around }, teardown)
  } catch (error) {
    await teardown.run()
    throw error
  }
}

/** What messages pass through, whoever brings them. */
interface Engine {
  readonly store: Store
  readonly broker: Broker
  readonly brokerCounters: object
  readonly hub: Hub
  readonly streams: Streams
  readonly intake: OrderIntake
  readonly users: Users
}

/** What a node is made of. */
interface Plan {
  readonly config: Config
  readonly log: Log
  readonly around: PortDecorators
}

async function wire(plan: Plan, teardown: Teardown): Promise<Relay> {
  const { config, log } = plan
  const metrics = createMetrics(cluster.isWorker ? config.nodeId : undefined)
  const engine = await wireEngine(plan, metrics, teardown)
  const { store, broker, hub, streams, users } = engine
  const { appender, outboxAge } = streams
  const identity = await wireIdentity(plan, engine, teardown)
  const { authenticator, audit } = identity
  const logins = new Attempts({ max: config.limitLoginsPerMinute })
  const sight = new RoomSight(store)
  const facts = policyFacts(store, sight)
  const long = wireOperations(plan, engine, { metrics, teardown, sight })
  const { operations } = long
  const inbound = createInbound(plan, engine, { identity, facts, logins, sight, operations })
  const { registry } = users
  mirrorEngine(metrics, engine)
  mirrorBroker(metrics, engine.broker, engine.brokerCounters)

  const services = { hub, registry, metrics, log }
  const server = createServer(log, serverOptions(config, metrics))
  await registerEdge(server, { config, authenticator, logins, metrics, log })
  await registerDescriptions(server, { version: VERSION, endpoints: config.endpoints })
  const deliveries = createDeliveryReceipts({ appender, log, metrics, teardown })
  const parts = { ...services, deliveries, inbound, serverName: SERVER_NAME }
  const connections = createConnections(config, parts, () => feeds.size)
  const otherConnections = (): number => connections.size
  const feeds = registerFeeds(server, { ...services, authenticator, facts, audit, config, otherConnections })
  await connections.register(server)
  registerIdentity(server, { identity, store, metrics, allowedOrigins: config.allowedOrigins })
  registerApi(server, { authenticator, store, appender, users, broker, log, sight, operations })
  registerWelcome(server, { name: SERVER_NAME, endpoints: config.endpoints })
  const isDraining = (): boolean => connections.isDraining
  registerProbes(server, { broker, store, outboxAge, metrics, isDraining })
  teardown.add(async () => {
    await Promise.all([connections.drain(config.drainMs), feeds.drain(config.drainMs)])
    await server.close()
  })
  await startEngine(engine, log)
  long.start()
  identity.start()
  await listen(server, config)
  return {
    address: addressOf(server.server.address(), config.host, config.tlsCertFile !== undefined),
    broker:
      config.stompUrl === undefined ? 'in-process' : `RabbitMQ at ${describeBrokerUrl(config.stompUrl)}`,
    database: describeDatabaseUrl(config.databaseUrl),
    reloadTls: () => reloadTls(server, config, log),
    close: () => teardown.run(),
  }
}

async function wireIdentity(
  { config, log }: Plan,
  { store, users }: Engine,
  teardown: Teardown,
): Promise<Identity> {
  const onEnded: EndedListener = (...ended) => users.loginEnding.end(...ended)
  const identity = await openIdentity({ store, config, log, onEnded })
  teardown.add(() => identity.close())
  return identity
}

function wireOperations(
  { config, log }: Plan,
  { store, broker, streams }: Engine,
  { metrics, teardown, sight }: { metrics: Metrics; teardown: Teardown; sight: RoomSight },
): LongOperations {
  const long = new LongOperations({
    store,
    broker,
    log,
    metrics,
    nodeId: config.nodeId,
    appender: streams.appender,
    held: () => streams.held,
    keepDays: config.retentionUserDays,
    maySeeRoom: async (user, room) => ['public', 'member'].includes((await sight.see(user, room)).kind),
  })
  teardown.add(() => long.close())
  return long
}

function createInbound(
  { config, log }: Plan,
  { store, users, streams, broker }: Engine,
  judges: {
    identity: Identity
    facts: PolicyFacts
    logins: Attempts
    sight: RoomSight
    operations: Operations
  },
): Inbound {
  const { identity, facts, logins, sight, operations } = judges
  const { authenticator } = identity
  const interceptors = [
    authenticate(identity.authenticator, logins),
    rateLimit({ sendsPerSecond: config.limitSendsPerSecond, burst: config.limitSendBurst }),
    authorize(facts),
  ]
  return new Inbound({
    interceptors: [audited(interceptors, identity.audit)],
    app: createApp({
      store,
      users,
      appender: streams.appender,
      authenticator,
      sight,
      operations,
      broker,
      log,
    }),
    broker,
    facts,
  })
}

async function wireEngine(
  { config, log, around }: Plan,
  { committed, hot: frames }: Metrics,
  teardown: Teardown,
): Promise<Engine> {
  const { nodeId } = config
  const opened = await openStore({
    url: config.databaseUrl,
    nodeId,
    lock: true,
    waitMs: DATABASE_WAIT_MS,
    onWaiting: (where, why) =>
      log.warn({ event: 'database-waiting', where, why }, 'waiting for the database'),
  })
  teardown.add(() => opened.close())
  const store = around.store?.(opened) ?? opened
  const created = createBroker(config, log)
  teardown.add(() => created.close())
  const broker = around.broker?.(created) ?? created
  // A node that keeps its name over a restart must repeat neither message ids nor leases.
  const boot = `${nodeId.slice(0, 48)}-${randomBytes(6).toString('hex')}`
  const hub = new Hub({
    broker,
    nodeId: boot,
    streams: new StreamReader({ store }),
    observer: hubLog(log),
  })
  teardown.add(async () => hub.close())
  const retention = { userDays: config.retentionUserDays, days: config.retentionDays }
  // What the in-process broker relays is here at once anyhow.
  const isRemote = config.stompUrl !== undefined && config.amqpUrl !== undefined
  const streams = new Streams({
    store,
    broker,
    log,
    nodeId,
    boot,
    retention,
    onBatch: committed,
    ...(isRemote && { onStored: (event: StoredDelivery) => hub.onStored(event) }),
  })
  teardown.add(() => streams.close())
  const intake = new OrderIntake({ broker, store, appender: streams.appender, log })
  teardown.add(() => intake.close())
  const maxSessionsPerUser = config.limitSessionsPerUser
  const users = new Users({ store, broker, log, nodeId, boot, version: VERSION, maxSessionsPerUser, frames })
  teardown.add(() => users.close())
  return { store, broker, brokerCounters: created.counters, hub, streams, intake, users }
}

/** Orders are taken in as soon as the broker is there; nothing else waits for that. */
async function startEngine({ broker, hub, streams, intake, users }: Engine, log: Log): Promise<void> {
  let wasUp = false
  broker.onStatus((status) => {
    if (status.isUp === wasUp) return
    wasUp = status.isUp
    log.info({ event: 'broker-status', ...status }, brokerState(status))
    if (status.isUp) hub.compare()
  })
  await broker.start(hub)
  await streams.start()
  await users.start()
  intake
    .start()
    .catch((error: unknown) => log.error({ event: 'intake-failed', err: error }, 'orders are not taken in'))
}

function mirrorEngine(metrics: Metrics, { streams, hub, users }: Engine): void {
  mirrorGauge(
    metrics,
    'sessions',
    'sessions connected: STOMP sessions, event streams and long polls',
    () => users.registry.size,
  )
  mirrorGauge(
    metrics,
    'outbox_held',
    'stored events in memory that the broker has not confirmed',
    () => streams.held,
  )
  mirrorGauge(
    metrics,
    'outbox_age_seconds',
    'how long the oldest stored event of all nodes has waited for the broker',
    async () => (await streams.outboxAge.ms()) / 1000,
  )
  mirrorCounts(metrics, 'stream', 'what became of stored events on this node', streams.counters)
  mirrorCounts(metrics, 'hub', 'what the fan-out of this node did', hub.counters)
  const { presence, announcements, people } = users.counters
  mirrorCounts(metrics, 'people', 'names that were remembered', people)
  mirrorCounts(metrics, 'presence', 'what this node wrote of its sessions', presence)
  mirrorCounts(metrics, 'announcement', 'who came and went, as told', announcements)
}
