import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { BrokerMessage } from '../../src/broker/broker.ts'
import {
  createRabbitMqBroker,
  type RabbitMqBrokerWithCounters,
} from '../../src/broker/rabbitmq/rabbitmq-broker.ts'
import { parseBrokerUrl, type BrokerUrl } from '../../src/config/broker-url.ts'
import type { BrokerUrls } from '../../rabbitmq/private-node.ts'
import type { EncodedBatch } from '../../src/fanout/encoded-batch.ts'
import type { Subscriber } from '../../src/fanout/subscriber.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { useTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import type { Between, BetweenParts, CutLink, Way, WayEnds } from './between.ts'
import { turns, type Chance } from './chance.ts'
import type { Life } from './life.ts'
import type { RelayNode } from './relay-node.ts'
import type { Tally } from './tally.ts'

const INBOX_EXPIRES_MS = 400
const AGAIN_MS = 500
/** How often a link is cut just after something was published. */
const CUT_AFTER_PUBLISH = 0.01
/** How many of those cuts take the confirmation with them, which a cut at any moment rarely does. */
const CUT_AT_CONFIRM = 0.3
const TIMEOUTS = {
  connectMs: 2000,
  publishMs: 2000,
  setUpMs: 10_000,
  answerMs: 1000,
  lingerMs: 200,
  fenceMs: 20,
  stallMs: 1000,
  inboxExpiresMs: INBOX_EXPIRES_MS,
}

/** Real connections with RabbitMQ, through proxies that are cut: each node has one for STOMP and one for AMQP. */
export class RabbitMqBetween implements Between {
  readonly isIdle = true
  isKind = false
  readonly #tally: Tally
  readonly #chance: Chance
  readonly #stomp: BrokerUrl
  readonly #amqp: BrokerUrl
  readonly #amqpProxies = new Set<TcpProxy>()
  #isAway = false

  constructor({ tally, chance }: BetweenParts, { stompUrl, amqpUrl }: BrokerUrls) {
    this.#tally = tally
    this.#chance = chance
    this.#stomp = parseBrokerUrl(stompUrl, 'stomp', 61613)
    this.#amqp = parseBrokerUrl(amqpUrl, 'amqp', 5672)
  }

  get isAway(): boolean {
    return this.#isAway
  }

  set isAway(isAway: boolean) {
    this.#isAway = isAway
    for (const proxy of this.#amqpProxies) proxy.refuse(isAway)
  }

  async join({ nodeId }: WayEnds): Promise<Way> {
    const ends: (() => Promise<void>)[] = []
    const teardown = { teardown: (end: () => Promise<void>) => void ends.push(end) }
    const stomp = await useTcpProxy(teardown, portOf(this.#stomp))
    const amqp = await useTcpProxy(teardown, portOf(this.#amqp))
    amqp.refuse(this.#isAway)
    this.#amqpProxies.add(amqp)
    const inner = createRabbitMqBroker({
      stomp: through(this.#stomp, stomp),
      amqp: through(this.#amqp, amqp),
      nodeId,
      log: createLog({ level: 'silent', nodeId }),
      timeouts: TIMEOUTS,
    })
    const link = new InboxLink([stomp, amqp], this.#tally)
    const chance = this.#chance.fork()
    return {
      inner,
      link,
      publish: (message, life) => {
        if (chance.is(CUT_AFTER_PUBLISH)) void this.#cutSoon(chance, { stomp, amqp })
        return publish(inner, message, life)
      },
      end: () => {
        if (!this.#amqpProxies.delete(amqp)) return
        link.end()
        for (const end of ends) void end()
        this.#count(inner)
      },
    }
  }

  /** Each node publishes a last message, which comes to each behind all that it published before. */
  async drained(nodes: readonly RelayNode[]): Promise<void> {
    const topic = `drained.${randomUUID()}`
    const ends = nodes.map(() => new Ending(nodes.map(({ name }) => name)))
    const target = { kind: 'topic', pattern: topic } as const
    const destination = `/topic/${topic}`
    const subscriptions = await Promise.all(
      nodes.map(({ hub }, i) => {
        return insist(() => hub.subscribe({ target, destination, subscriber: ends[i]! }))
      }),
    )
    const address = { kind: 'topic', topic } as const
    const all = Promise.all(ends.map(({ done }) => done.promise))
    // An inbox that is lost takes them with it.
    while (ends.some(({ isDone }) => !isDone)) {
      await Promise.all(
        nodes.map(({ name, broker }) => {
          const message = { address, headers: [], body: Buffer.from(name), persistent: false }
          return insist(() => broker.publish(message, { patient: true }))
        }),
      )
      await Promise.race([all, delay(AGAIN_MS)])
    }
    for (const { close } of subscriptions) close()
  }

  /** When a message is on its way: before it came, before it was confirmed, or before it was acknowledged. */
  async #cutSoon(
    chance: Chance,
    proxies: { readonly stomp: TcpProxy; readonly amqp: TcpProxy },
  ): Promise<void> {
    this.#tally.hit('link to RabbitMQ cut')
    if (chance.is(CUT_AT_CONFIRM)) {
      proxies.amqp.cutAtAnswer()
      return
    }
    await turns(chance.between(1, 20))
    chance.pick([proxies.stomp, proxies.amqp]).cut()
  }

  #count({ counters }: RabbitMqBrokerWithCounters): void {
    this.#tally.hit('link to RabbitMQ established again', counters.reconnects)
    this.#tally.hit('published again after a cut', counters.resent)
    this.#tally.hit('published twice, dropped by its number', counters.duplicates)
    this.#tally.hit('redelivered, dropped by the fence', counters.replayed)
    this.#tally.hit('inbox lost, hole told', counters.holes)
  }
}

/** A node that is killed before the confirmation has sent the message, or not quite. */
async function publish(inner: RabbitMqBrokerWithCounters, message: BrokerMessage, life: Life): Promise<void> {
  if (life.reach('before publish')) return
  const confirmed = inner.publish(message, { patient: true })
  if (life.armed === 'before confirm') {
    confirmed.catch(() => undefined)
    await turns(1)
    if (life.reach('before confirm')) return
  }
  await confirmed
}

/** Asks again until it is granted: links may be cut, and watches refused, to the end. */
async function insist<R>(ask: () => Promise<R>): Promise<R> {
  for (;;) {
    try {
      return await ask()
    } catch {
      await turns(1)
    }
  }
}

/** Waits for the last messages of all nodes. */
class Ending implements Subscriber {
  readonly subscriptionId = 'ending'
  readonly version = '1.2'
  readonly done = deferred()
  readonly #missing: Set<string>

  constructor(names: readonly string[]) {
    this.#missing = new Set(names)
  }

  get isDone(): boolean {
    return this.#missing.size === 0
  }

  deliver({ messages }: EncodedBatch): void {
    for (const { delivery } of messages) this.#missing.delete(Buffer.from(delivery.body).toString())
    if (this.isDone) this.done.resolve()
  }

  room(): undefined {
    return undefined
  }

  isGone(): boolean {
    return false
  }
}

/** Both connections of a node, which are cut together. */
class InboxLink implements CutLink {
  isCut = false
  readonly #proxies: readonly TcpProxy[]
  readonly #tally: Tally
  #timer: NodeJS.Timeout | undefined

  constructor(proxies: readonly TcpProxy[], tally: Tally) {
    this.#proxies = proxies
    this.#tally = tally
  }

  cut(): void {
    this.isCut = true
    this.#tally.hit('link to RabbitMQ cut')
    for (const proxy of this.#proxies) proxy.refuse(true)
  }

  /** What came in between is in the inbox, for as long as that is kept without a consumer. */
  mend(isLost: boolean): void {
    if (!this.isCut || this.#timer !== undefined) return
    this.#timer = setTimeout(() => this.#mend(), isLost ? INBOX_EXPIRES_MS * 2 : 0)
  }

  makeRoom(): void {
    // Nothing is held here.
  }

  hasLostTail(): boolean {
    return false
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  #mend(): void {
    this.isCut = false
    this.#timer = undefined
    for (const proxy of this.#proxies) proxy.refuse(false)
  }
}

function portOf({ hosts }: BrokerUrl): number {
  return hosts[0]!.port
}

function through(url: BrokerUrl, { port }: TcpProxy): BrokerUrl {
  return { ...url, hosts: [{ host: '127.0.0.1', port }] }
}
