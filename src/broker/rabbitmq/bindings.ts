import type { Channel } from 'amqplib'
import { MessageError } from '../../errors.ts'
import { type Deferred, deferred } from '../../lib/deferred.ts'
import type { Route } from './exchanges.ts'

export interface BindingsOptions {
  readonly maxBindings: number
  readonly maxLingering: number
  readonly lingerMs: number
}

/** `bound` and `lingering` are in force; while there is no channel, all wait as `binding`. */
type State = 'binding' | 'bound' | 'lingering' | 'unbinding'

interface Binding extends Route {
  count: number
  state: State
  /** Settled when it is in force. */
  ready: Deferred<void>
  lingersUntil: number
}

/**
 * What this node's inbox is bound to. Each distinct pattern is one binding with a count; one channel
 * does all binds and unbinds, in order. The last release leaves a binding in place for a while, since
 * bind storms are what makes RabbitMQ expensive.
 */
export class Bindings {
  readonly #options: BindingsOptions
  readonly #bindings = new Map<string, Binding>()
  /** Oldest first. */
  readonly #lingering = new Set<Binding>()
  #channel: Channel | undefined
  #queue = ''
  #timer: NodeJS.Timeout | undefined

  constructor(options: BindingsOptions) {
    this.#options = options
  }

  /** Counts one more that wants the route. The promise resolves when it is in force, be it much later. */
  acquire(route: Route): Promise<void> {
    const binding = this.#get(route)
    binding.count += 1
    if (binding.state === 'lingering') {
      this.#lingering.delete(binding)
      binding.state = 'bound'
    } else if (binding.state === 'unbinding') {
      this.#bind(binding)
    }
    return binding.ready.promise
  }

  /** Counts one less; to be called once for each `acquire`. */
  release(route: Route): void {
    const binding = this.#bindings.get(keyOf(route))
    if (binding === undefined || --binding.count > 0) return
    if (this.#channel === undefined || binding.state === 'binding') {
      this.#bindings.delete(keyOf(route))
      // No later channel binds it, and whoever waits for all there are must not wait for it.
      binding.ready.resolve()
      if (this.#channel !== undefined) this.#unbind(binding)
    } else {
      this.#linger(binding)
    }
  }

  /** Binds all to the queue over a new channel. Resolves when all are in force. */
  async attach(channel: Channel, queue: string): Promise<void> {
    this.detach()
    this.#channel = channel
    this.#queue = queue
    for (const binding of this.#bindings.values()) this.#bind(binding)
    await Promise.all([...this.#bindings.values()].map(async (binding) => binding.ready.promise))
  }

  /** The channel is gone. Nobody waits for what lingers, so it is forgotten. */
  detach(): void {
    this.#channel = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#lingering.clear()
    for (const [key, binding] of this.#bindings) {
      if (binding.count === 0) this.#bindings.delete(key)
      else if (binding.state !== 'binding') this.#await(binding)
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
      state: 'binding',
      ready: deferred(),
      lingersUntil: 0,
    }
    this.#bindings.set(key, binding)
    this.#bind(binding)
    return binding
  }

  #await(binding: Binding): void {
    binding.state = 'binding'
    binding.ready = deferred()
  }

  #bind(binding: Binding): void {
    if (binding.state !== 'binding') this.#await(binding)
    const channel = this.#channel
    if (channel === undefined) return
    const { ready } = binding
    settled(async () => channel.bindQueue(this.#queue, binding.exchange, binding.key)).then(
      () => {
        if (this.#channel !== channel || binding.ready !== ready) return
        if (binding.state === 'binding') binding.state = 'bound'
        ready.resolve()
      },
      // The channel is closing: the next one binds it.
      () => undefined,
    )
  }

  #linger(binding: Binding): void {
    binding.state = 'lingering'
    binding.lingersUntil = performance.now() + this.#options.lingerMs
    this.#lingering.add(binding)
    if (this.#lingering.size > this.#options.maxLingering) this.#unbindOldest()
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
        this.#unbindDue()
        this.#arm()
      },
      Math.max(1, oldest.lingersUntil - performance.now()),
    )
    this.#timer.unref()
  }

  #unbindDue(): void {
    const now = performance.now()
    for (const binding of this.#lingering) {
      if (binding.lingersUntil > now) return
      this.#unbindOldest()
    }
  }

  #unbindOldest(): void {
    const [oldest] = this.#lingering
    if (oldest === undefined) return
    this.#lingering.delete(oldest)
    oldest.state = 'unbinding'
    this.#unbind(oldest)
  }

  #unbind(binding: Binding): void {
    const channel = this.#channel
    if (channel === undefined) return
    const forget = (): void => {
      if (binding.state === 'unbinding' && binding.count === 0) this.#delete(binding)
    }
    settled(async () => channel.unbindQueue(this.#queue, binding.exchange, binding.key)).then(forget, forget)
  }

  #delete(binding: Binding): void {
    const key = keyOf(binding)
    if (this.#bindings.get(key) === binding) this.#bindings.delete(key)
  }
}

function keyOf(route: Route): string {
  return `${route.exchange} ${route.key}`
}

/** amqplib throws at once on a channel that is closed. */
async function settled(operation: () => Promise<unknown>): Promise<void> {
  await operation()
}
