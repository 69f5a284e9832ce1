import { streamEpoch } from '../../protocol/event-id.ts'
import { deferred } from '../../src/lib/deferred.ts'
import type { Store } from '../../src/store/store.ts'
import type { Between, BetweenParts, Way } from './between.ts'
import { Changes } from './changes.ts'
import type { Chance } from './chance.ts'
import { Life } from './life.ts'
import { MortalBroker } from './mortal-broker.ts'
import { mortalStore } from './mortal-store.ts'
import { LEASE_MS, RelayNode, RETENTION_DAYS } from './relay-node.ts'
import type { Session } from './session.ts'
import type { Tally } from './tally.ts'
import { Truth } from './truth.ts'
import type { Weather } from './weather.ts'

/** A node that can be asked, and its way to the broker where the test has a hand on it. */
export interface Host {
  readonly node: RelayNode
  readonly way: Way | undefined
}

/** A name that nodes bear, one at a time, and the database under that name. */
export interface Name {
  readonly name: string
  readonly store: Store
  isTaken: boolean
  /** The run in which it was borne last. */
  wasUsed: string
}

export interface WorldParts {
  readonly name: string
  readonly names: readonly Name[]
  readonly weather: Weather
  readonly chance: Chance
  readonly tally: Tally
  readonly between: (parts: BetweenParts) => Between
}

const DAY_MS = 86_400_000
const BEGINNING_MS = Date.UTC(2030, 0, 31)

let boots = 0

/** One run: nodes on one database, the broker between them, and what everybody knows. */
export class World {
  readonly name: string
  readonly weather: Weather
  readonly tally: Tally
  readonly truth = new Truth()
  readonly changes = new Changes()
  readonly bus: Between
  readonly hosts = new Set<Host>()
  readonly jumps: { readonly stream: string; readonly from: number; readonly to: number }[] = []
  /** Nothing is written any more; who reads stays until it has all. */
  isEnding = false
  isDone = false
  /** Told when a node that was killed is gone. */
  onDeath: () => void = () => undefined
  readonly #parts: WorldParts
  readonly #done = deferred()
  readonly #underWay = new Map<Promise<unknown>, string>()
  /** Counts batches: the time of this world, by which events expire. */
  #time = 0
  #expiredTo = 0
  #stalled: RelayNode | undefined

  constructor(parts: WorldParts) {
    const { name, weather, chance, tally } = parts
    this.#parts = parts
    this.name = name
    this.weather = weather
    this.tally = tally
    this.bus = parts.between({ chance: chance.fork(), weather, tally })
  }

  get store(): Store {
    return this.#parts.names[0]!.store
  }

  get epoch(): string {
    return this.store.epoch
  }

  /** Batches written so far. */
  get time(): number {
    return this.#time
  }

  /** What was written after this time has not expired. */
  get expiredTo(): number {
    return this.#expiredTo
  }

  get done(): Promise<void> {
    return this.#done.promise
  }

  end(): void {
    this.isDone = true
    this.#done.resolve()
    this.changes.tell()
  }

  get state(): string {
    const living = [...this.hosts].map(({ node }) => `${node.name} (${node.broker.status().detail})`)
    const taken = this.#parts.names.filter(({ isTaken }) => isTaken).map(({ name }) => name)
    return `living: ${living.join()}, taken: ${taken.join()}, under way: ${[...this.#underWay.values()].join()}`
  }

  /** A node that lives, as soon as there is one. */
  async host(chance: Chance): Promise<Host> {
    while (this.hosts.size === 0) await this.changes.next()
    return chance.pick([...this.hosts])
  }

  /** Goes on by itself; `settled` waits for it. */
  inBackground(what: string, act: () => Promise<unknown>): void {
    const task = act().catch((error: unknown) => this.truth.fault(`in the background: ${String(error)}`))
    this.#underWay.set(task, what)
    void task.then(() => this.#underWay.delete(task))
  }

  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.keys())
  }

  /** Starts a node under this name, once the one that bore it is gone. Resolves also when it was killed meanwhile. */
  async start(bearer: Name): Promise<void> {
    const { weather, tally } = this
    bearer.isTaken = true
    boots += 1
    const chance = this.#parts.chance.fork()
    const boot = `boot-${boots}`
    const way = await this.bus.join({
      nodeId: boot,
      tellHole: (reason) => broker.receiver?.onHole(reason),
      onIdle: this.changes.tell,
    })
    const life: Life = new Life(tally, () =>
      this.inBackground(`${bearer.name} dies`, () => this.#bury(host, bearer)),
    )
    const broker: MortalBroker = new MortalBroker({
      inner: way.inner,
      life,
      chance: chance.fork(),
      tally,
      watchRefused: weather.watchRefused,
      publish: (message) => way.publish(message, life),
    })
    const store = mortalStore({
      store: bearer.store,
      life,
      chance: chance.fork(),
      weather: weather.store,
      tally,
      onRemoved: this.changes.tell,
      stall: () => this.#stall(host.node),
    })
    const node = new RelayNode({
      name: bearer.name,
      boot,
      store,
      broker,
      life,
      tally,
      compares: weather.compares,
      tellsFirst: chance.is(0.6),
      clock: {
        now: () => this.#now(),
        trimsAt: weather.trims ? () => at(this.#expiredTo + RETENTION_DAYS * DAY_MS) : undefined,
      },
    })
    const host: Host = { node, way }
    await Promise.race([node.start(), life.death])
    if (life.isOver) return
    this.hosts.add(host)
    this.changes.tell()
  }

  async stop(host: Host): Promise<void> {
    this.hosts.delete(host)
    await Promise.race([host.node.stop(), host.node.life.death])
    host.way?.end()
    this.#release(host)
  }

  /** What has been stored up to some moment expires. */
  expire(chance: Chance): void {
    this.#expiredTo = chance.between(this.#expiredTo, this.#time)
  }

  /** The next renewal of this node's lease comes too late. */
  stall(node: RelayNode): void {
    this.#stalled = node
  }

  /** An event came to a reader. */
  onEvent(event: {
    readonly host: Host
    readonly session: Session
    readonly stream: string
    readonly offset: number
    readonly body: string
  }): void {
    const { host, session, stream, offset, body } = event
    this.truth.stored(stream, offset, body)
    this.changes.tell()
    const isLive = [...host.node.clients].every((each) => each.stream !== stream || each.isAttached)
    if (
      isLive &&
      !session.isReplaying &&
      host.way?.link.hasLostTail(streamEpoch(this.epoch, stream), offset) === true
    ) {
      this.tally.hit('lost last event found by comparison')
    }
  }

  #now(): Date {
    this.#time += 1
    return at(this.#time)
  }

  async #stall(node: RelayNode): Promise<void> {
    if (this.#stalled !== node || this.isEnding) return
    this.#stalled = undefined
    this.tally.hit('lease ran out under a living node')
    await new Promise((resolve) => setTimeout(resolve, LEASE_MS * 1.3))
  }

  async #bury(host: Host, bearer: Name): Promise<void> {
    this.hosts.delete(host)
    host.way?.end()
    await host.node.bury()
    bearer.isTaken = false
    this.onDeath()
    this.changes.tell()
  }

  #release({ node }: Host): void {
    const bearer = this.#parts.names.find(({ name }) => name === node.name)
    // One that was killed while it stopped is released when it is buried.
    if (bearer !== undefined && !node.life.isOver) bearer.isTaken = false
    this.changes.tell()
  }
}

function at(ms: number): Date {
  return new Date(BEGINNING_MS + ms)
}
