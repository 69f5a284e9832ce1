import type { BrokerUrls } from '../../rabbitmq/private-node.ts'
import { within } from '../../src/lib/within.ts'
import { Cluster } from './cluster.ts'
import { Database } from './database.ts'
import { Eavesdropper } from './eavesdropper.ts'
import type { KillPoint } from './kill-point.ts'
import { MessagePlan, WATCHED } from './message-plan.ts'
import { Reader } from './reader.ts'
import { isPublic, judge, type Verdict } from './verdict.ts'
import { Writer } from './writer.ts'

export interface KillRunOptions {
  readonly databaseUrl: string
  readonly rabbitMq: BrokerUrls
  /** 2 on a database server: the survivor takes over. 1 on SQLite: it is started again. */
  readonly nodes: number
  /** At least. */
  readonly messages: number
  /** Of each kill, in order. */
  readonly points: readonly KillPoint[]
  /** At least 0 and below 1: where exactly. */
  readonly random: () => number
}

/** Once a node was dead: what it left in the outbox, and when all of that was relayed. */
export interface TakeOver {
  readonly rows: number
  readonly seconds: number
  /** Who relayed it: the other node, or a new process of the same name. */
  readonly by: 'survivor' | 'successor'
}

export interface KillRunReport extends Verdict {
  readonly kills: number
  /** SEND frames, and those among them that say something again. */
  readonly sent: number
  readonly sentAgain: number
  readonly receipted: number
  /** Of each subscriber. */
  readonly delivered: readonly number[]
  readonly resumed: number
  readonly takeOvers: readonly TakeOver[]
  /** Counted by the nodes: at least, as a killed one's last count is lost with it. */
  readonly repeats: number
  readonly filled: number
  readonly duplicates: number
  readonly seconds: number
}

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

interface Scene {
  readonly t: Teardown
  readonly options: KillRunOptions
  readonly cluster: Cluster
  readonly database: Database
  readonly plan: MessagePlan
  readonly writers: readonly Writer[]
  readonly readers: Reader[]
}

const WRITERS = 6
const READERS = 5
/** What a dead node leaves has to be taken over within this time (ARCHITECTURE, "Streams"). */
const TAKE_OVER_MS = 10_000
/** It is waited for somewhat longer, to tell late from never. */
const GIVE_UP_MS = 30_000
const DEATH_MS = 60_000
const REST_MS = 120_000
/** Occurrences of a point until the kill, at most: publishes come in crowds, batches and removals do not. */
const MAX_OCCURRENCE: Readonly<Record<KillPoint, number>> = {
  'before-commit': 4,
  'after-commit': 4,
  'before-confirm': 40,
  'before-removal': 3,
}
/** So many messages more where a node has not come to its point. */
const MORE = 50

/**
 * Lets several writers send, kills one node after the other in the middle of that, and compares in the end
 * what was receipted, stored and received.
 */
export async function runKills(t: Teardown, options: KillRunOptions): Promise<KillRunReport> {
  const beganAt = performance.now()
  const { databaseUrl, rabbitMq, nodes, messages, points } = options
  const cluster = await Cluster.start(t, { databaseUrl, rabbitMq, size: nodes, deaths: points.length })
  const database = await Database.open(t, databaseUrl)
  const eavesdropper = await Eavesdropper.start(t, rabbitMq.amqpUrl)
  const plan = new MessagePlan()
  const readers = await Promise.all(
    numbers(READERS).map((i) => Reader.start(t, { name: `reader ${i + 1}`, home: i, cluster })),
  )
  const writers = await Promise.all(
    numbers(WRITERS).map((i) => Writer.start(t, { name: `writer${i + 1}`, home: i, cluster, plan })),
  )
  const scene = { t, options, cluster, database, plan, writers, readers }
  const step = Math.ceil(messages / (points.length + 1))
  plan.allow(step)
  const takeOvers: TakeOver[] = []
  for (const [i, point] of points.entries()) {
    await plan.reached(Math.floor(step * (i + 0.5)))
    takeOvers.push(
      await killOne(scene, { point, slot: i % nodes, upTo: step * (i + 2), comesBack: i % 4 === 3 }),
    )
    // One that comes later begins in the middle of the streams.
    if (i === 0) readers.push(await Reader.start(t, { name: 'late reader', home: 0, cluster }))
  }
  plan.allow(messages)
  await comeToRest(scene)
  await eavesdropper.waitFor(plan.receipted.filter(isPublic).map(({ clientId }) => clientId))
  const { receipted } = plan
  const verdict = await judge({ database, receipted, readers, relayed: eavesdropper.heard })
  await cluster.look()
  return { ...summary(scene, takeOvers, verdict), seconds: (performance.now() - beganAt) / 1000 }
}

interface Kill {
  readonly point: KillPoint
  readonly slot: number
  /** How far the writers may go from now on. */
  readonly upTo: number
  /** The node comes back at once, so that it finds its own lease still alive. */
  readonly comesBack: boolean
}

async function killOne(scene: Scene, { point, slot, upTo, comesBack }: Kill): Promise<TakeOver> {
  const { cluster, database, plan, options } = scene
  const occurrence = 1 + Math.floor(options.random() * MAX_OCCURRENCE[point])
  const death = within(
    cluster.kill(slot, { point, occurrence }),
    DEATH_MS,
    () => new Error(`no node came to ${point} ${occurrence} times`),
  )
  plan.allow(upTo)
  const diedAtMs = await whileWriting(plan, death)
  const rows = await database.outboxOf(cluster.nodeId(slot))
  const isAlone = cluster.size === 1
  const takenOver = database.untilGone(rows, GIVE_UP_MS).then(() => (performance.now() - diedAtMs) / 1000)
  if (!isAlone && !comesBack) await takenOver
  await cluster.revive(slot)
  const seconds = await takenOver
  comeHome(scene, slot)
  return { rows: rows.length, seconds, by: isAlone || comesBack ? 'successor' : 'survivor' }
}

/** Lets the writers go on until it has happened. */
async function whileWriting<T>(plan: MessagePlan, event: Promise<T>): Promise<T> {
  const idle = Symbol('all that was allowed is receipted')
  for (;;) {
    const first = await Promise.race([event, plan.reached(plan.allowed).then(() => idle)])
    if (typeof first !== 'symbol') return first
    plan.allow(plan.allowed + MORE)
  }
}

/** Those that belong to a node which is back leave the one where they found refuge, without a word. */
function comeHome({ cluster, writers, readers }: Scene, slot: number): void {
  for (const { home, link } of [...writers, ...readers]) if (home % cluster.size === slot) link.cut()
}

/** All is receipted, relayed and received, and what might have come twice has come. */
async function comeToRest({ plan, database, readers }: Scene): Promise<void> {
  const all = plan.allowed
  await within(
    plan.reached(all),
    REST_MS,
    () => new Error(`${plan.receipted.length} of ${all} are receipted`),
  )
  if (!(await database.untilRelayed(REST_MS))) throw new Error('the outbox is not empty')
  // What was relayed twice is ahead of these in the queue of each node.
  const last = all + 2 * WATCHED.length
  plan.allow(last)
  await within(plan.reached(last), REST_MS, () => new Error('the last messages are not receipted'))
  for (const { stream } of WATCHED) {
    const head = await database.head(stream)
    await Promise.all(readers.map((reader) => reader.until(() => reader.lastOf(stream) >= head)))
  }
}

function summary(
  { options, cluster, plan, writers, readers }: Scene,
  takeOvers: readonly TakeOver[],
  verdict: Verdict,
): Omit<KillRunReport, 'seconds'> {
  // A node that is alone has to be started first, and who does that when is not its matter.
  const late = takeOvers.filter(({ seconds }) => cluster.size > 1 && seconds * 1000 > TAKE_OVER_MS)
  const refused = writers.flatMap(({ link }) => link.errors)
  return {
    ...verdict,
    faults: [
      ...verdict.faults,
      ...late.map(({ rows, seconds }) => `${rows} rows were taken over after ${seconds.toFixed(1)} s`),
      ...refused.map((error) => `a writer was refused: ${error}`),
    ],
    kills: options.points.length,
    sent: writers.reduce((sum, { sent }) => sum + sent, 0),
    sentAgain: writers.reduce((sum, { sentAgain }) => sum + sentAgain, 0),
    receipted: plan.receipted.length,
    delivered: readers.map(({ delivered }) => delivered),
    resumed: readers.reduce((sum, { resumed }) => sum + resumed, 0),
    takeOvers,
    repeats: cluster.count('stream repeats'),
    filled: cluster.count('hub filled'),
    duplicates: cluster.count('hub duplicates'),
  }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}
