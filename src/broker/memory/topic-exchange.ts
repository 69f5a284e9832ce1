import { compileTopicPattern, isTopicPattern } from '../../../protocol/destination.ts'
import { TopicIndex } from '../../lib/topic-index.ts'
import type { Content, MemoryQueue } from './memory-queue.ts'

const TOPIC_SYNTAX = { isPattern: isTopicPattern, compile: compileTopicPattern }
const REMEMBERED_TOPICS = 10_000

/** Who wants the topics of one pattern. */
interface Binding {
  watches: number
  readonly queues: Set<MemoryQueue>
}

/** Routes topics to the node's hub and to the queues of sessions' own topic subscriptions. */
export class TopicExchange {
  readonly #bindings = new TopicIndex<Binding>(TOPIC_SYNTAX, REMEMBERED_TOPICS)

  /** Patterns that somebody wants. */
  get size(): number {
    return this.#bindings.size
  }

  watch(pattern: string): void {
    this.#binding(pattern).watches += 1
  }

  unwatch(pattern: string): void {
    const binding = this.#binding(pattern)
    binding.watches -= 1
    this.#forgetUnused(pattern, binding)
  }

  bind(pattern: string, queue: MemoryQueue): void {
    this.#binding(pattern).queues.add(queue)
  }

  unbind(pattern: string, queue: MemoryQueue): void {
    const binding = this.#binding(pattern)
    binding.queues.delete(queue)
    this.#forgetUnused(pattern, binding)
  }

  /** @returns whether the node watches the topic. The content is made only where a queue wants it. */
  route(topic: string, content: () => Content): boolean {
    const bindings = [...this.#bindings.matching(topic)]
    const exact = this.#bindings.exact(topic)
    if (exact !== undefined) bindings.push(exact)
    let isWatched = false
    let made: Content | undefined
    for (const { watches, queues } of bindings) {
      if (watches > 0) isWatched = true
      for (const queue of queues) {
        made ??= content()
        queue.push(made)
      }
    }
    return isWatched
  }

  #binding(pattern: string): Binding {
    let binding = this.#bindings.get(pattern)
    if (binding === undefined) {
      binding = { watches: 0, queues: new Set() }
      this.#bindings.set(pattern, binding)
    }
    return binding
  }

  #forgetUnused(pattern: string, { watches, queues }: Binding): void {
    if (watches === 0 && queues.size === 0) this.#bindings.delete(pattern)
  }
}
