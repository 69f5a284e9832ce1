import type { HubSubscription } from '../../src/fanout/hub.ts'
import { chooseBegin } from './begin.ts'
import type { Chance } from './chance.ts'
import type { Place } from './places.ts'
import type { Client } from './relay-node.ts'
import { countSeams, isAheadOf, type Glance } from './seams.ts'
import { Session } from './session.ts'
import { judge, type Begin } from './visit.ts'
import type { Host, World } from './world.ts'

export interface ReaderParts {
  readonly name: string
  readonly world: World
  readonly place: Place
  /** Another stream, whose ids it takes for those of its own at times. */
  readonly other: Place
  readonly chance: Chance
}

/** A client that comes and goes, on whichever node, and wants every event of its stream. */
export class Reader {
  readonly #parts: ReaderParts
  /** The last event that it has, or the place that the RECEIPT said. */
  #last: number | undefined
  #hasReceiptOnly = false
  #lastHost: Host | undefined
  #visits = 0
  #attached: { readonly session: Session; readonly position: number } | undefined

  constructor(parts: ReaderParts) {
    this.#parts = parts
  }

  get stream(): string {
    return this.#parts.place.stream
  }

  /** How far it has come, if it is there. */
  get position(): number | undefined {
    if (this.#attached === undefined) return undefined
    const { session, position } = this.#attached
    return Math.max(position, session.offsets.at(-1) ?? position)
  }

  get state(): string {
    return `${this.#parts.name} of ${this.stream}: ${this.position ?? `not attached, had ${this.#last ?? 'nothing'}`}`
  }

  /** Comes and goes until no more is written, and then stays. */
  async run(): Promise<void> {
    const { world, chance } = this.#parts
    while (!world.isDone) {
      await chance.while()
      const host = await world.host(chance)
      if (!host.node.isGone) await this.#visit(host)
    }
  }

  async #visit(host: Host): Promise<void> {
    const { world, chance, place, other } = this.#parts
    const begin = chooseBegin({
      chance,
      storeEpoch: world.epoch,
      stream: place.stream,
      otherStream: other.stream,
      last: this.#last,
      isEarnest: world.isEnding,
      isForgetful: world.weather.trims && !world.isEnding,
    })
    if (begin.kind === 'wrong' && begin.reason === 'not-a-stream') return this.#askForNoStream(host)
    const session = this.#session(host)
    const client: Client = { stream: place.stream, session, isAttached: false }
    const glance = this.#glance(host, begin)
    host.node.clients.add(client)
    this.#lastHost = host
    this.#visits += 1
    const subscription = await this.#subscribe(host, begin, session)
    if (subscription !== undefined) {
      const { recovery } = subscription
      client.isAttached = true
      const { tally, truth } = world
      countSeams({ tally, truth, stream: place.stream }, glance, { recovery, session })
      this.#attached = { session, position: recovery.position?.offset ?? 0 }
      world.changes.tell()
      await this.#stay(session)
      this.#attached = undefined
      await this.#leave(subscription, session)
    }
    host.node.clients.delete(client)
    this.#conclude(begin, session, subscription)
  }

  #session(host: Host): Session {
    const { name, world, place, chance } = this.#parts
    const session: Session = new Session({
      // Few different ones: the hub sends those who share one the same bytes.
      subscriptionId: `sub-${chance.between(0, 2)}`,
      chance: chance.fork(),
      slowness: chance.is(0.6) ? 0.8 : 0,
      onEvent: (offset, body) => world.onEvent({ host, session, stream: place.stream, offset, body }),
      onWait: () => world.tally.hit('replay waited for a slow reader'),
      onRoom: () => host.way?.link.makeRoom(),
      onFault: (what) => world.truth.fault(`${name} of ${place.stream}, visit ${this.#visits}: ${what}`),
    })
    return session
  }

  #glance({ node }: Host, begin: Begin): Glance {
    const { world, place } = this.#parts
    return {
      begin,
      count: world.truth.count(place.stream),
      isMoved: this.#lastHost !== undefined && this.#lastHost.node !== node,
      hasReceiptOnly: this.#hasReceiptOnly,
      isAhead: isAheadOf(node, place.stream, begin),
    }
  }

  /** @returns undefined where it was refused, or cut off before the RECEIPT */
  async #subscribe({ node }: Host, begin: Begin, session: Session): Promise<HubSubscription | undefined> {
    const { world, chance, place } = this.#parts
    const from = 'from' in begin ? { from: begin.from } : {}
    const subscribing = node.hub.subscribe({ ...place.request, subscriber: session, ...from })
    if (!world.isEnding && chance.is(0.15)) void this.#cutOff(session)
    const subscription = await Promise.race([subscribing.catch(() => undefined), session.gone])
    session.isReplaying = false
    if (!session.isGone()) return subscription ?? undefined
    void subscribing.then(({ close }) => close()).catch(() => undefined)
    return undefined
  }

  async #cutOff(session: Session): Promise<void> {
    const { world, chance } = this.#parts
    await chance.while()
    if (!session.isReplaying || session.isGone()) return
    world.tally.hit('reader cut off in its replay')
    session.cut()
  }

  async #stay(session: Session): Promise<void> {
    const { world, chance } = this.#parts
    const count = chance.between(1, 12)
    for (let i = 0; i < count && !session.isGone(); i++) await chance.while()
    if (world.isEnding) await Promise.race([world.done, session.gone])
  }

  async #leave(subscription: HubSubscription, session: Session): Promise<void> {
    const { world, chance } = this.#parts
    if (session.isGone()) {
      subscription.close()
    } else if (world.isEnding || chance.is(0.6)) {
      world.tally.hit('reader left')
      subscription.close()
      session.left()
    } else {
      world.tally.hit('reader cut off')
      session.cut()
      await chance.while()
      subscription.close()
    }
  }

  #conclude(begin: Begin, session: Session, subscription: HubSubscription | undefined): void {
    const { name, world, place } = this.#parts
    const { offsets } = session
    const recovery = subscription?.recovery
    const { faults, jumps, last } = judge({ begin, recovery, offsets, trims: world.weather.trims })
    for (const fault of faults) {
      const how = JSON.stringify({ ...begin, recovery })
      world.truth.fault(`${name} of ${place.stream}, visit ${this.#visits}, ${how}: ${fault}`)
    }
    for (const [from, to] of jumps) this.#mayJump(from, to)
    // An id that would not do is not what it has.
    if (last === undefined) return
    this.#last = last
    this.#hasReceiptOnly = offsets.length === 0 && (this.#hasReceiptOnly || begin.kind === 'fresh')
  }

  /** What was not sent must have been trimmed. */
  #mayJump(from: number, to: number): void {
    const { name, world, place } = this.#parts
    for (let offset = from; offset <= to; offset++) {
      if (world.truth.since(place.stream, offset) < world.expiredTo) continue
      world.truth.fault(`${name} was not sent ${place.stream} ${offset}, which had not expired`)
    }
    world.jumps.push({ stream: place.stream, from, to })
  }

  async #askForNoStream({ node }: Host): Promise<void> {
    const { world, chance } = this.#parts
    const [target, destination] = [{ kind: 'topic', pattern: 'chatter' } as const, '/topic/chatter']
    const subscriber = this.#session({ node, way: undefined })
    const from = { kind: 'event-id', eventId: 'x:1' } as const
    const subscription = await Promise.race([
      node.hub.subscribe({ target, destination, subscriber, from }).catch(() => undefined),
      node.life.death,
    ])
    if (subscription === undefined) return
    const { recovered, reason } = subscription.recovery
    if (recovered === false && reason === 'not-a-stream') world.tally.hit('not recovered: not-a-stream')
    else world.truth.fault(`${destination} was said to be a stream`)
    await chance.while()
    subscription.close()
  }
}
