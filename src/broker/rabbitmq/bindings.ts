import type { Channel } from 'amqplib'
import { MessageError } from '../../errors.ts'
import { type Deferred, deferred } from '../../lib/deferred.ts'
import type { Route } from './exchanges.ts'

export interface BindingsOptions {
  readonly maxBindings: number
  readonly maxLingering: number
  readonly lingerMs: number
}

/**
 * `bound`, `lingering` and `unwanted` are in force; `binding` and `unbinding` are asked of RabbitMQ just now.
 * While there is no channel, all are `wanted`, or `leftover`: given back since they were in force on an earlier one.
 */
type State = 'wanted' | 'binding' | 'bound' | 'lingering' | 'unwanted' | 'unbinding' | 'leftover'

interface Binding extends Route {
  count: number
  state: State
  /** RabbitMQ was asked to bind it to this queue, and not since to unbind it: undefined where it never was. */
  boundTo: string | undefined
  /** Settled when it is in force, or nobody wants it any more. */
  ready: Deferred<void>
  lingersUntil: number
}

/**
 * What this node's inbox is bound to. Each distinct pattern is one binding with a count; one channel
 * does all binds and unbinds, one at a time, so that what was given back before its turn costs RabbitMQ
 * nothing. The last release leaves a binding in place for a while, since bind storms are what makes
 * RabbitMQ expensive.
 */
export class Bindings {
  readonly #options: BindingsOptions
  readonly #bindings = new Map<string, Binding>()
  /** Those `wanted`, those `lingering`, and those `unwanted` or `leftover`, oldest first. */
  readonly #wanted = new Set<Binding>()
  readonly #lingering = new Set<Binding>()
  readonly #unwanted = new Set<Binding>()
  #channel: Channel | undefined
  #queue = ''
  #isAsking = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: BindingsOptions) {
    this.#options = options
  }

  /** Distinct patterns, those that linger and those to be unbound among them. */
  get known(): number {
    return this.#bindings.size
  }

  /** Those that RabbitMQ has yet to be asked to bind or to unbind. */
  get waiting(): number {
    return this.#wanted.size + this.#unwanted.size
  }

  /**
   * Counts one more that wants the route. The promise resolves when it is in force, be it much later.
   *
   * @throws MessageError `too-many-subscriptions`
   */
  acquire(route: Route): Promise<void> {
    const binding = this.#get(route)
    binding.count += 1
    if (binding.state === 'lingering' || binding.state === 'unwanted') {
      this.#lingering.delete(binding)
      this.#unwanted.delete(binding)
      binding.state = 'bound'
    } else if (binding.state === 'unbinding' || binding.state === 'leftover') {
      this.#unwanted.delete(binding)
      this.#want(binding)
    }
    return binding.ready.promise
  }

  /** Counts one less; to be called once for each `acquire`. */
  release(route: Route): void {
    const binding = this.#bindings.get(keyOf(route))
    if (binding === undefined || --binding.count > 0) return
    if (binding.state === 'wanted') this.#giveUp(binding)
    else if (binding.state === 'bound') this.#linger(binding)
  }

  /** Binds all to the queue over a new channel. Resolves when all are in force. */
  async attach(channel: Channel, queue: string): Promise<void> {
    this.detach()
    this.#channel = channel
    this.#queue = queue
    // What another queue was bound to is gone with it.
    for (const binding of this.#unwanted) if (binding.boundTo !== queue) this.#forget(binding)
    const all = [...this.#wanted].map(async ({ ready }) => ready.promise)
    this.#ask()
    await Promise.all(all)
  }

  /** The channel is gone. What lingers is unbound over the next one, if that serves the same queue. */
  detach(): void {
    this.#channel = undefined
    this.#isAsking = false
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#lingering.clear()
    for (const binding of this.#bindings.values()) {
      if (binding.count === 0) this.#giveUp(binding)
      else if (binding.state !== 'wanted') this.#want(binding)
    }
  }

  #get(route: Route): Binding {
    const key = keyOf(route)
    const found = this.#bindings.get(key)
    if (found !== undefined) return found
    if (this.#bindings.size >= this.#options.maxBindings) {
      throw new MessageError('too-many-subscriptions', 'this node has too many subscriptions')
    }
    const { exchange, key: pattern } = route
    const binding: Binding = {
      exchange,
      key: pattern,
      count: 0,
      state: 'wanted',
      boundTo: undefined,
      ready: deferred(),
      lingersUntil: 0,
    }
    this.#bindings.set(key, binding)
    this.#wanted.add(binding)
    this.#ask()
    return binding
  }

  /** Who waits for it already goes on waiting. */
  #want(binding: Binding): void {
    if (binding.state !== 'binding') binding.ready = deferred()
    binding.state = 'wanted'
    this.#wanted.add(binding)
    this.#ask()
  }

  /** Nobody wants what is not known to be in force on this channel. The queue may have it from an earlier one. */
  #giveUp(binding: Binding): void {
    const isOfOtherQueue = this.#channel !== undefined && binding.boundTo !== this.#queue
    if (binding.boundTo === undefined || isOfOtherQueue) {
      this.#forget(binding)
    } else {
      this.#wanted.delete(binding)
      binding.ready.resolve()
      binding.state = 'leftover'
      this.#unwanted.add(binding)
      this.#ask()
    }
  }

  #forget(binding: Binding): void {
    this.#bindings.delete(keyOf(binding))
    this.#wanted.delete(binding)
    this.#unwanted.delete(binding)
    // Whoever waits for all there are must not wait for it.
    binding.ready.resolve()
  }

  /** Binds and unbinds in turn, until nothing is left to do. */
  #ask(): void {
    const channel = this.#channel
    if (channel === undefined || this.#isAsking) return
    this.#isAsking = true
    // Rejects where the channel is closing: the next one binds all.
    this.#askAll(channel).catch(() => undefined)
  }

  async #askAll(channel: Channel): Promise<void> {
    while (this.#channel === channel && this.#wanted.size + this.#unwanted.size > 0) {
      const [wanted] = this.#wanted
      if (wanted !== undefined) await this.#bind(channel, wanted)
      const [unwanted] = this.#unwanted
      if (unwanted !== undefined && this.#channel === channel) await this.#unbind(channel, unwanted)
    }
    if (this.#channel === channel) this.#isAsking = false
  }

  async #bind(channel: Channel, binding: Binding): Promise<void> {
    this.#wanted.delete(binding)
    binding.state = 'binding'
    binding.boundTo = this.#queue
    await channel.bindQueue(this.#queue, binding.exchange, binding.key)
    if (this.#channel !== channel) return
    binding.state = 'bound'
    binding.ready.resolve()
    if (binding.count === 0) this.#linger(binding)
  }

  async #unbind(channel: Channel, binding: Binding): Promise<void> {
    this.#unwanted.delete(binding)
    binding.state = 'unbinding'
    await channel.unbindQueue(this.#queue, binding.exchange, binding.key)
    // Somebody may want it again, or have wanted it meanwhile.
    if (this.#channel === channel && binding.state === 'unbinding') this.#forget(binding)
  }

  #linger(binding: Binding): void {
    binding.state = 'lingering'
    binding.lingersUntil = performance.now() + this.#options.lingerMs
    this.#lingering.add(binding)
    if (this.#lingering.size > this.#options.maxLingering) this.#dropOldest()
    if (this.#timer === undefined) this.#arm()
  }

  #arm(): void {
    const [oldest] = this.#lingering
    if (oldest === undefined) {
      this.#timer = undefined
      return
    }
    this.#timer = setTimeout(
      () => {
        this.#dropDue()
        this.#arm()
      },
      Math.max(1, oldest.lingersUntil - performance.now()),
    )
    this.#timer.unref()
  }

  #dropDue(): void {
    const now = performance.now()
    for (const binding of this.#lingering) {
      if (binding.lingersUntil > now) return
      this.#dropOldest()
    }
  }

  #dropOldest(): void {
    const [oldest] = this.#lingering
    if (oldest === undefined) return
    this.#lingering.delete(oldest)
    oldest.state = 'unwanted'
    this.#unwanted.add(oldest)
    this.#ask()
  }
}

function keyOf(route: Route): string {
  return `${route.exchange} ${route.key}`
}
