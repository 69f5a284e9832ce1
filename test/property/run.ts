import process from 'node:process'
import { within } from '../../src/lib/within.ts'
import type { Between, BetweenParts } from './between.ts'
import { turns, type Chance } from './chance.ts'
import { Chaos, KILL_POINTS } from './chaos.ts'
import { placesOf, type Place } from './places.ts'
import { Reader } from './reader.ts'
import type { Tally } from './tally.ts'
import { weatherOf } from './weather.ts'
import { World, type Name } from './world.ts'
import { Writer } from './writer.ts'

export interface RunParts {
  /** Unique on this database. */
  readonly name: string
  readonly number: number
  readonly names: readonly Name[]
  readonly chance: Chance
  readonly tally: Tally
  readonly between: (parts: BetweenParts) => Between
}

const PATIENCE_MS = Number(process.env['PATIENCE_MS'] ?? 120_000)

/** One run. @returns what was wrong, at best nothing */
export async function run(parts: RunParts): Promise<readonly string[]> {
  const { name, number, names, chance, tally, between } = parts
  const world = new World({
    name,
    names,
    tally,
    weather: weatherOf(chance.fork()),
    chance: chance.fork(),
    between,
  })
  const places = placesOf(name)
  const chaos = new Chaos({
    world,
    names,
    chance: chance.fork(),
    acts: chance.between(2, 8),
    killPoint: KILL_POINTS[number % KILL_POINTS.length]!,
  })
  const readers = Array.from({ length: chance.between(3, 6) }, (_, i) => {
    const place = chance.pick(places)
    const other = chance.pick(places.filter((each) => each !== place))
    return new Reader({ name: `reader ${i}`, world, place, other, chance: chance.fork() })
  })
  const writers = Array.from({ length: chance.between(2, 3) }, (_, i) => {
    return new Writer({ name: `w${i}`, world, places, chance: chance.fork(), writes: chance.between(4, 12) })
  })
  let stage = 'beginning'
  const play = async (): Promise<void> => {
    await chaos.begin()
    const reading = Promise.all(readers.map((reader) => reader.run()))
    stage = 'writing'
    await Promise.all([chaos.run(), ...writers.map((writer) => writer.run())])
    stage = 'ending'
    world.isEnding = true
    await chaos.end()
    stage = 'waiting until everybody has everything'
    await allHaveAll(world, readers, places)
    await world.bus.drained([...world.hosts].map(({ node }) => node))
    // What comes too much comes now.
    await turns(5)
    world.end()
    await reading
    stage = 'closing'
    await Promise.all([...world.hosts].map((host) => world.stop(host)))
    await world.settled()
    await checkJumps(world)
    for (const { stream } of places) await checkStore(world, stream)
  }
  try {
    await within(play(), PATIENCE_MS, () => new Error(`it hangs while ${stage}`))
  } catch (error) {
    world.truth.fault(String(error))
    world.truth.fault(world.state)
    for (const reader of readers) world.truth.fault(reader.state)
    for (const { stream } of places)
      world.truth.fault(`${stream} is at ${await world.store.log.head(stream)}`)
    world.truth.fault(`oldest row of the outboxes: ${await world.store.outbox.ageMs(FAR_MS)}`)
    world.end()
  }
  return world.truth.faults
}

const PAGE = 500
const FAR_MS = Date.UTC(2099, 0)

/** Resolves when every reader is at the head of its stream and nothing waits to be relayed. */
async function allHaveAll(world: World, readers: readonly Reader[], places: readonly Place[]): Promise<void> {
  const heads = await world.store.log.heads(places.map(({ stream }) => stream))
  while (!readers.every((reader) => reader.position === heads.get(reader.stream))) await world.changes.next()
  for (;;) {
    const changed = world.changes.next()
    if (world.bus.isIdle && (await world.store.outbox.ageMs(FAR_MS)) === 0) return
    await changed
  }
}

/** What readers were not sent must have been trimmed. */
async function checkJumps(world: World): Promise<void> {
  for (const { stream, from, to } of world.jumps) {
    const [first] = await world.store.log.read(stream, to - 1, 1)
    if (first?.offset === to)
      world.truth.fault(`${stream}: ${from} to ${to} were left out, and ${to} is stored`)
  }
}

/** All that was said to be stored is there. */
async function checkStore({ store, truth }: World, stream: string): Promise<void> {
  const log = new Map<number, string>()
  for (let last = 0; ;) {
    const page = await store.log.read(stream, last, PAGE)
    for (const { offset, body } of page) log.set(offset, body)
    if (page.length < PAGE) break
    last = page.at(-1)!.offset
  }
  truth.compare(stream, await store.log.head(stream), log)
}
