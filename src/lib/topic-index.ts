export type TopicMatcher = (topic: string) => boolean

/** What patterns mean: `protocol/destination.ts` knows. */
export interface TopicSyntax {
  readonly isPattern: (text: string) => boolean
  readonly compile: (pattern: string) => TopicMatcher
}

interface Compiled<T> {
  readonly value: T
  readonly matches: TopicMatcher
}

/**
 * Values by topic pattern, for the question "who wants this topic?". Exact names cost one look-up;
 * wildcards are tried one after the other, and the outcome is remembered for the next message.
 */
export class TopicIndex<T> {
  readonly #exact = new Map<string, T>()
  readonly #patterns = new Map<string, Compiled<T>>()
  /** Topics seen lately, with what patterns made of them. Emptied when patterns change or it is full. */
  readonly #remembered = new Map<string, readonly T[]>()
  readonly #syntax: TopicSyntax
  readonly #maxRemembered: number

  /** @param maxRemembered for how many topics the outcome is kept; beyond it all are forgotten */
  constructor(syntax: TopicSyntax, maxRemembered: number) {
    this.#syntax = syntax
    this.#maxRemembered = maxRemembered
  }

  get(pattern: string): T | undefined {
    return this.#exact.get(pattern) ?? this.#patterns.get(pattern)?.value
  }

  set(pattern: string, value: T): void {
    if (this.#syntax.isPattern(pattern)) {
      this.#patterns.set(pattern, { value, matches: this.#syntax.compile(pattern) })
      this.#remembered.clear()
    } else {
      this.#exact.set(pattern, value)
    }
  }

  delete(pattern: string): void {
    this.#exact.delete(pattern)
    if (this.#patterns.delete(pattern)) this.#remembered.clear()
  }

  /** The value of exactly this name. A wildcard word in it is only a word here. */
  exact(topic: string): T | undefined {
    return this.#exact.get(topic)
  }

  /** The values of all wildcard patterns that the topic matches. */
  matching(topic: string): readonly T[] {
    if (this.#patterns.size === 0) return []
    let values = this.#remembered.get(topic)
    if (values === undefined) {
      values = [...this.#patterns.values()].filter((each) => each.matches(topic)).map((each) => each.value)
      if (this.#remembered.size >= this.#maxRemembered) this.#remembered.clear()
      this.#remembered.set(topic, values)
    }
    return values
  }

  /** Names and patterns that have a value. */
  get size(): number {
    return this.#exact.size + this.#patterns.size
  }

  get rememberedCount(): number {
    return this.#remembered.size
  }
}
