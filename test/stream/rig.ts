import { EventEmitter, once } from 'node:events'
import Database from 'libsql'
import type { Test } from 'tap'
import { streamEpoch } from '../../protocol/event-id.ts'
import type { Broker, BrokerMessage, Delivery } from '../../src/broker/broker.ts'
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts'
import { MessageError } from '../../src/errors.ts'
import { openStore } from '../../src/store/kysely/open-store.ts'
import type { NewEventRow, OutboxRow, Store } from '../../src/store/store.ts'
import { StreamAppender } from '../../src/stream/append.ts'
import type { StreamAppenderOptions } from '../../src/stream/append.ts'
import { Outbox } from '../../src/stream/outbox.ts'
import type { OutboxOptions } from '../../src/stream/outbox.ts'
import type { Write } from '../../src/stream/write-batch.ts'

/** A store in a file of the test's own, and another hand on that file. */
export async function openTestStore(t: Test, url = `sqlite:${t.testdir()}/relay.db`) {
  const store = await openStore({ url, nodeId: 'node-1', lock: true })
  t.teardown(() => store.close())
  const hand = new Database(url.slice('sqlite:'.length))
  t.teardown(() => hand.close())
  return { store, hand, url }
}

/** Another node's store in the same file. */
export async function openSecondStore(t: Test, url: string, nodeId: string): Promise<Store> {
  const store = await openStore({ url, nodeId, lock: false })
  t.teardown(() => store.close())
  return store
}

/** The in-process broker with a line that the test can cut, and what its one node received. */
export class Line implements Pick<Broker, 'publish'> {
  readonly received: Delivery[] = []
  readonly #broker = createMemoryBroker()
  readonly #events = new EventEmitter()
  /** Asked at each publish: an error refuses it, a promise holds it up. */
  fault: (message: BrokerMessage) => Error | Promise<void> | undefined = () => undefined

  async start(t: Test): Promise<void> {
    t.teardown(() => this.#broker.close())
    await this.#broker.start({
      onMessage: (delivery) => {
        this.received.push(delivery)
        this.#events.emit('received')
      },
      onHole: (reason) => t.fail(reason),
    })
    await this.#broker.watch({ kind: 'topic', pattern: '#' })
    await this.#broker.watch({ kind: 'user', user: 'bob' })
  }

  async publish(message: BrokerMessage, options?: { patient?: boolean }): Promise<void> {
    const fault = this.fault(message)
    this.#events.emit('attempt')
    if (fault instanceof Error) throw fault
    await fault
    await this.#broker.publish(message, options)
  }

  /** Resolves once so many messages have arrived. */
  async until(count: number): Promise<void> {
    while (this.received.length < count) await once(this.#events, 'received')
  }

  attempt(): Promise<unknown> {
    return once(this.#events, 'attempt')
  }

  get bodies(): string[] {
    return this.received.map(({ body }) => Buffer.from(body).toString())
  }
}

export const AWAY = new MessageError('broker-unavailable', 'the broker is away')

/** A log that tells the test. */
export class Warnings {
  readonly events: string[] = []
  readonly errors: { event?: string; err?: unknown }[] = []
  readonly #emitter = new EventEmitter()

  warn = (detail: { event?: string }): void => {
    this.events.push(detail.event ?? '')
    this.#emitter.emit('warning')
  }

  info = (detail: { event?: string }): void => this.warn(detail)

  error = (detail: { event?: string; err?: unknown }): void => void this.errors.push(detail)

  async until(event: string): Promise<void> {
    while (!this.events.includes(event)) await once(this.#emitter, 'warning')
  }
}

/** The store's outbox, telling the test when rows were removed. */
export class WatchedOutbox {
  readonly #store: Store
  readonly #emitter = new EventEmitter()
  #removals = 0
  /** Rows read at each reading. */
  readonly pages: number[] = []
  /** Holds up what was read. */
  gate: Promise<void> | undefined
  /** Holds up what was claimed. */
  claimGate: Promise<void> | undefined

  constructor(store: Store) {
    this.#store = store
  }

  get epoch(): string {
    return this.#store.epoch
  }

  readonly outbox = {
    pending: async (afterSeq: number, limit: number): Promise<readonly OutboxRow[]> => {
      const rows = await this.#store.outbox.pending(afterSeq, limit)
      this.pages.push(rows.length)
      this.#emitter.emit('read')
      await this.gate
      return rows
    },
    remove: async (seqs: readonly number[]): Promise<void> => {
      await this.#store.outbox.remove(seqs)
      this.#removals += 1
      this.#emitter.emit('removed')
    },
    claim: async (limit: number): Promise<readonly OutboxRow[]> => {
      const rows = await this.#store.outbox.claim(limit)
      await this.claimGate
      return rows
    },
    ageMs: (nowMs: number): Promise<number> => this.#store.outbox.ageMs(nowMs),
  }

  read(): Promise<unknown> {
    return once(this.#emitter, 'read')
  }

  async untilEmpty(): Promise<void> {
    for (;;) {
      const before = this.#removals
      if ((await this.#store.outbox.pending(0, 1)).length === 0) return
      // Rows may have gone between the answer and now.
      while (this.#removals === before) await once(this.#emitter, 'removed')
    }
  }
}

export interface RigOptions {
  readonly outbox?: Partial<OutboxOptions>
  readonly appender?: Partial<StreamAppenderOptions>
}

/** Store, appender, outbox and broker, wired as the relay wires them; the outbox waits for `start`. */
export async function startRig(t: Test, options: RigOptions = {}) {
  const { store, hand, url } = await openTestStore(t)
  const line = new Line()
  await line.start(t)
  const warnings = new Warnings()
  const watched = new WatchedOutbox(store)
  const outbox = new Outbox({
    store: watched,
    broker: line,
    log: warnings,
    removeDelayMs: 1,
    retryBaseMs: 1,
    retryMaxMs: 5,
    closeTimeoutMs: 50,
    ...options.outbox,
  })
  t.teardown(() => outbox.close())
  const appender = new StreamAppender({ store, relay: outbox, log: warnings, ...options.appender })
  t.teardown(() => appender.close())
  return { store, hand, url, line, warnings, watched, outbox, appender }
}

/** A write of one event on a topic. */
export function say(topic: string, payload: unknown): () => Promise<Write<string>> {
  const event = { stream: `/topic/${topic}`, address: { kind: 'topic', topic } as const, payload }
  return () => Promise.resolve({ events: [event], result: `said on ${topic}` })
}

/** The id of an event, put together as clients see it and not as the appender makes it. */
export function idOf({ epoch }: { epoch: string }, stream: string, offset: number): string {
  return `${streamEpoch(epoch, stream)}:${offset}`
}

/** An event as the store takes it, for tests that go round the appender. */
export function topicEvent(topic: string, body: string): NewEventRow {
  const address = { kind: 'topic', topic }
  const [createdAt, expiresAt] = ['2030-01-31T09:30:00.000Z', '2030-03-01T09:30:00.000Z']
  return { stream: `/topic/${topic}`, address, headers: [], body, createdAt, expiresAt }
}

/** Stores events as a node that then relays nothing. */
export async function leave(store: Store, topic: string, count: number): Promise<string[]> {
  const bodies = Array.from({ length: count }, (_, n) => `"${topic} ${n}"`)
  const events = bodies.map((body) => topicEvent(topic, body))
  await store.transact((tx) => tx.appendEvents(events))
  return bodies
}
