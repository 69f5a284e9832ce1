import { ChildChannel } from '../child-channel.ts'
import type { RunningContestant } from '../contestants/contestant.ts'
import { addCounts, type LatencyCounts } from '../measure/latency-histogram.ts'
import { siblingModule } from '../sibling-module.ts'
import type { ClientPlan } from './client-plan.ts'
import { addFaults, NO_FAULTS, type Faults } from './delivery-checker.ts'
import type {
  FromPublisher,
  FromSubscriber,
  Pacing,
  PublisherResult,
  ToPublisher,
  ToSubscriber,
} from './process-messages.ts'

export interface LoadSetting {
  readonly plan: ClientPlan
  readonly publishers: number
  readonly subscribers: number
  /** Processes that the subscribers are spread over. */
  readonly generators: number
  readonly pacing: Pacing
  /** One delivery in this many is timed. Default 16. */
  readonly timedOneIn?: number
}

/** All load generators at one moment. */
export interface LoadMark {
  readonly atUs: number
  readonly deliveries: number
  readonly published: number
  readonly reads: number
  readonly bytes: number
  /** Of each generator process, the publisher last. */
  readonly cpuUs: readonly number[]
  readonly latency: LatencyCounts
  readonly faults: Faults
  readonly unfinished: number
  readonly hasHeldBack: boolean
}

export interface LoadResult {
  readonly faults: Faults
  readonly isDrained: boolean
  readonly hasHeldBack: boolean
}

const CONNECT_TIMEOUT_MS = 180_000
const TIMED_ONE_IN = 16

/** The load generators of one round: one process with the publishers, and one or more with the subscribers. */
export class LoadGroup {
  readonly #publisher = ChildChannel.fork<ToPublisher, FromPublisher>(
    siblingModule(import.meta.url, './publisher-process'),
  )
  readonly #subscribers: readonly ChildChannel<ToSubscriber, FromSubscriber>[]

  private constructor(generators: number) {
    this.#subscribers = Array.from({ length: generators }, () =>
      ChildChannel.fork(siblingModule(import.meta.url, './subscriber-process')),
    )
  }

  /** Resolves when every client is connected and subscribed. */
  static async connect(contestant: RunningContestant, setting: LoadSetting): Promise<LoadGroup> {
    const group = new LoadGroup(Math.min(setting.generators, setting.subscribers))
    try {
      await group.#connect(contestant, setting)
      return group
    } catch (error) {
      await group.close()
      throw error
    }
  }

  /** The publisher begins. */
  go(): void {
    this.#publisher.send({ type: 'go' })
  }

  async mark(): Promise<LoadMark> {
    for (const channel of this.#subscribers) channel.send({ type: 'mark' })
    this.#publisher.send({ type: 'mark' })
    const marks = await Promise.all(this.#subscribers.map(async (channel) => channel.next('mark')))
    const publisher = await this.#publisher.next('mark')
    const sum = (pick: (mark: (typeof marks)[number]) => number): number =>
      marks.reduce((total, mark) => total + pick(mark), 0)
    return {
      atUs: sum((mark) => mark.atUs) / marks.length,
      deliveries: sum((mark) => mark.deliveries),
      published: publisher.published,
      reads: sum((mark) => mark.reads),
      bytes: sum((mark) => mark.bytes),
      cpuUs: [...marks.map((mark) => mark.cpuUs), publisher.cpuUs],
      latency: marks.map((mark) => mark.latency).reduce(addCounts),
      faults: marks.map((mark) => mark.faults).reduce(addFaults, NO_FAULTS),
      unfinished: publisher.unfinished,
      hasHeldBack: publisher.hasHeldBack,
    }
  }

  /** Stops publishing, waits until all has arrived or patience ends, and gives the verdict. */
  async finish(): Promise<LoadResult> {
    this.#publisher.send({ type: 'stop' })
    const stopped: PublisherResult = await this.#publisher.next('stopped')
    for (const channel of this.#subscribers) channel.send({ type: 'finish', published: stopped.published })
    const results = await Promise.all(this.#subscribers.map(async (channel) => channel.next('result')))
    const failure = this.#failure()
    if (failure !== undefined) throw failure
    const faults = results.map((result) => result.faults).reduce(addFaults, NO_FAULTS)
    return { faults, isDrained: stopped.isDrained, hasHeldBack: stopped.hasHeldBack }
  }

  /** Ends the processes. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.#publisher, ...this.#subscribers].map(async (channel) => channel.stop()))
  }

  async #connect(contestant: RunningContestant, setting: LoadSetting): Promise<void> {
    const { plan, publishers, subscribers, pacing, timedOneIn = TIMED_ONE_IN } = setting
    const headers = await contestant.connectHeaders(subscribers + publishers)
    this.#publisher.send({
      type: 'start',
      plan,
      clients: headers.slice(subscribers),
      pacing,
      reporters: this.#subscribers.length,
    })
    const { progressPort } = await this.#publisher.next('listening')
    for (const [index, channel] of this.#subscribers.entries()) {
      const clients = headers.slice(0, subscribers).filter((_, i) => i % this.#subscribers.length === index)
      channel.send({ type: 'start', plan, publishers, clients, progressPort, timedOneIn })
    }
    const ready = this.#subscribers.map(async (channel) => channel.next('ready', CONNECT_TIMEOUT_MS))
    await Promise.all([this.#publisher.next('ready'), ...ready])
  }

  #failure(): Error | undefined {
    return [this.#publisher, ...this.#subscribers].find((channel) => channel.failure !== undefined)?.failure
  }
}
