import type { AppendOptions } from '../../src/stream/append.ts'
import type { Write } from '../../src/stream/write-batch.ts'
import type { Chance } from './chance.ts'
import { offsetOf, type Place } from './places.ts'
import type { RelayNode } from './relay-node.ts'
import type { World } from './world.ts'

export interface WriterParts {
  readonly name: string
  readonly world: World
  readonly places: readonly Place[]
  readonly chance: Chance
  readonly writes: number
}

/** An event that is to be written. */
interface Draft {
  readonly place: Place
  readonly payload: string
}

type Outcome = 'stored' | 'refused' | 'unknown'

const ATTEMPTS = 8

/** Writes events on whichever node, one, several and many at a time. */
export class Writer {
  readonly #parts: WriterParts
  #count = 0

  constructor(parts: WriterParts) {
    this.#parts = parts
  }

  async run(): Promise<void> {
    const { chance, writes } = this.#parts
    for (let i = 0; i < writes; i++) {
      await chance.while()
      await this.#act()
    }
  }

  async #act(): Promise<void> {
    const { chance, world, places } = this.#parts
    const { node } = await world.host(chance)
    const somewhere = (): Place => chance.pick(places)
    switch (chance.weighted({ one: 5, burst: 2, many: 0.7, everywhere: 1, rejected: 1, repeated: 1.5 })) {
      case 'one':
        await this.#write(node, this.#drafts([somewhere()]))
        break
      case 'burst':
        await Promise.all(
          Array.from({ length: chance.between(2, 8) }, () => this.#write(node, this.#drafts([somewhere()]))),
        )
        break
      case 'many':
        await this.#write(node, this.#drafts(Array<Place>(chance.between(40, 130)).fill(somewhere())))
        break
      case 'everywhere':
        await this.#write(node, this.#drafts(places))
        break
      case 'rejected':
        await this.#writeRejected(node)
        break
      case 'repeated':
        await this.#writeRepeatedly(this.#drafts([somewhere(), somewhere()]))
    }
  }

  #drafts(places: readonly Place[]): readonly Draft[] {
    const { name, chance, world } = this.#parts
    return places.map((place) => {
      this.#count += 1
      const padding = chance.is(0.3) ? 'x'.repeat(world.weather.padding) : ''
      return { place, payload: `${name}-${this.#count} ${padding}` }
    })
  }

  async #write(node: RelayNode, drafts: readonly Draft[], options?: AppendOptions): Promise<Outcome> {
    const { world } = this.#parts
    const write = (): Promise<Write<null>> => Promise.resolve({ events: eventsOf(drafts), result: null })
    const since = world.time
    const outcome = await Promise.race([
      node.appender.append(write, options).catch(() => undefined),
      node.life.death,
    ])
    if (outcome === undefined) return node.life.isOver ? 'unknown' : 'refused'
    for (const [i, { place, payload }] of drafts.entries()) {
      const offset = offsetOf(outcome.eventIds[i])
      world.truth.stored(place.stream, offset, JSON.stringify(payload))
      // A request may have been stored when it came first.
      if (options === undefined) world.truth.writtenAfter(place.stream, offset, since)
    }
    return 'stored'
  }

  /** A write that fails takes with it what it staged, and nothing of its neighbours in the batch. */
  async #writeRejected(node: RelayNode): Promise<void> {
    const { world, places, chance } = this.#parts
    const drafts = this.#drafts([chance.pick(places)])
    const fail = async (): Promise<Write<null>> => {
      await Promise.resolve()
      throw new Error('no such room')
    }
    const isNoJson = chance.is(0.3)
    const events = [...eventsOf(drafts), { ...eventsOf(drafts)[0]!, payload: undefined }]
    const write = isNoJson ? () => Promise.resolve({ events, result: null }) : fail
    const neighbours = this.#drafts([chance.pick(places), chance.pick(places)])
    await Promise.all([
      ...neighbours.slice(0, 1).map((each) => this.#write(node, [each])),
      Promise.race([node.appender.append(write).catch(() => undefined), node.life.death]),
      ...neighbours.slice(1).map((each) => this.#write(node, [each])),
    ])
    world.tally.hit('write rejected')
    for (const { payload } of drafts) world.truth.rejected(JSON.stringify(payload))
  }

  /** As a client does that did not hear the answer: the same request again, at any node, or at two at once. */
  async #writeRepeatedly(drafts: readonly Draft[]): Promise<void> {
    const { name, world, chance } = this.#parts
    const clientId = `${name}-${this.#count}`
    const request = { user: name, scope: world.name, clientId }
    let wanted = chance.between(1, 2)
    for (let attempt = 0; attempt < ATTEMPTS && wanted > 0; attempt++) {
      const [one, two] = [await world.host(chance), await world.host(chance)]
      const hosts = chance.is(0.4) ? [one, two] : [one]
      const outcomes = await Promise.all(hosts.map(({ node }) => this.#write(node, drafts, { request })))
      if (outcomes.includes('stored')) wanted -= 1
    }
  }
}

function eventsOf(drafts: readonly Draft[]) {
  return drafts.map(({ place: { stream, address }, payload }) => ({ stream, address, payload }))
}
