import { setTimeout as delay } from 'node:timers/promises'
import type { Broker } from '../../src/broker/broker.ts'
import type { Chance } from './chance.ts'
import type { KillPoint } from './life.ts'
import { LEASE_MS } from './relay-node.ts'
import type { Host, Name, World } from './world.ts'

export interface ChaosParts {
  readonly world: World
  readonly names: readonly Name[]
  readonly chance: Chance
  readonly acts: number
  /** Where a node is to be killed in this run, if one comes there. */
  readonly killPoint: KillPoint
}

export const KILL_POINTS: readonly KillPoint[] = [
  'before commit',
  'after commit',
  'before publish',
  'before confirm',
  'before removal',
  'after removal',
  'after claim',
]
const MAX_NODES = 3

/** Kills, stops and starts nodes, cuts links, and lets events expire, while others write and read. */
export class Chaos {
  readonly #parts: ChaosParts
  #isOver = false
  #starting = 0

  constructor(parts: ChaosParts) {
    this.#parts = parts
    parts.world.onDeath = () => this.#keepAlive()
  }

  /** The first nodes. */
  async begin(): Promise<void> {
    await Promise.all([this.#start('another'), this.#start('another')])
    for (const { way } of this.#parts.world.hosts) if (way !== undefined) await isUp(way.inner)
  }

  async run(): Promise<void> {
    const { world, chance, acts, killPoint } = this.#parts
    this.#arm(await world.host(chance), killPoint)
    for (let i = 0; i < acts; i++) {
      for (let j = chance.between(1, 6); j > 0; j--) await chance.while()
      const host = await world.host(chance)
      await this.#act(host)
    }
  }

  /** Mends all, and sees that two nodes live. */
  async end(): Promise<void> {
    const { world, chance } = this.#parts
    await this.#claimIsDue()
    this.#isOver = true
    world.bus.isAway = false
    world.bus.isKind = true
    for (const { node } of world.hosts) node.life.armed = undefined
    await world.settled()
    while (world.hosts.size < 2) await this.#start('another')
    for (const { node, way } of world.hosts) {
      node.life.armed = undefined
      way?.link.mend(chance.is(0.5))
    }
  }

  async #act(host: Host): Promise<void> {
    const { world, chance } = this.#parts
    const weights = { arm: 3, kill: 1, stop: 1, start: 1.5, cut: 3, away: 1, stall: 0.7, expire: 0 }
    if (world.weather.trims) weights.expire = 8
    switch (chance.weighted(weights)) {
      case 'arm':
        this.#arm(host, chance.pick(KILL_POINTS))
        break
      case 'kill':
        world.tally.hit('killed at any moment')
        host.node.life.end()
        break
      case 'stop':
        world.tally.hit('node stopped')
        world.inBackground(`${host.node.name} stops`, async () => {
          await world.stop(host)
          this.#keepAlive()
        })
        break
      case 'start':
        if (world.hosts.size < MAX_NODES) world.inBackground('one more starts', () => this.#start('another'))
        break
      case 'cut':
        world.inBackground('a link is cut', () => this.#cut(host))
        break
      case 'away':
        await this.#leaveAlone()
        break
      case 'stall':
        world.stall(host.node)
        break
      case 'expire':
        world.expire(chance)
    }
  }

  #arm({ node }: Host, point: KillPoint): void {
    const { world, chance } = this.#parts
    node.life.armed = point === 'after claim' ? chance.pick(['after commit', 'before publish']) : point
    if (point !== 'after claim') return
    // Somebody must have died before somebody can die of what he left.
    for (const other of world.hosts) if (other.node !== node) other.node.life.armed = point
  }

  /** Who is to die of a claim has time to make one: a lease runs out first. */
  async #claimIsDue(): Promise<void> {
    const { world } = this.#parts
    const armed = [...world.hosts].filter(({ node }) => node.life.armed === 'after claim')
    if (armed.length === 0) return
    await Promise.race([delay(LEASE_MS * 3), ...armed.map(({ node }) => node.life.death)])
  }

  async #cut({ way }: Host): Promise<void> {
    const { chance } = this.#parts
    const link = way?.link
    if (link === undefined || link.isCut) return
    link.cut()
    for (let j = chance.between(1, 8); j > 0; j--) await chance.while()
    link.mend(chance.is(0.5))
  }

  async #leaveAlone(): Promise<void> {
    const { world, chance } = this.#parts
    world.tally.hit('broker away')
    world.bus.isAway = true
    for (let j = chance.between(1, 4); j > 0; j--) await chance.while()
    world.bus.isAway = false
  }

  #keepAlive(): void {
    const { world, chance } = this.#parts
    if (this.#isOver || world.hosts.size + this.#starting >= 2) return
    this.#starting += 1
    world.inBackground('another one starts', async () => {
      await chance.while()
      // Under its old name it finds its own rows, and nobody has to claim them.
      const isOld = this.#parts.killPoint !== 'after claim' && chance.is(0.5)
      await this.#start(isOld ? 'old' : 'another')
      this.#starting -= 1
    })
  }

  async #start(which: 'old' | 'another'): Promise<void> {
    const { world, names, chance } = this.#parts
    const free = names.filter(({ isTaken }) => !isTaken)
    if (free.length === 0 || (!this.#isOver && world.hosts.size >= MAX_NODES)) return
    const used = free.filter((each) => each.wasUsed === world.name)
    const bearer = which === 'old' && used.length > 0 ? chance.pick(used) : chance.pick(free)
    const isOld = bearer.wasUsed === world.name
    world.tally.hit(isOld ? 'node started under its old name' : 'node started under another name')
    bearer.wasUsed = world.name
    await world.start(bearer)
  }
}

/** Resolves when the broker is there. */
async function isUp(broker: Broker): Promise<void> {
  await new Promise<void>((resolve) => {
    const stop = broker.onStatus(tell)
    function tell(): void {
      if (!broker.status().isUp) return
      stop()
      resolve()
    }
    tell()
  })
}
