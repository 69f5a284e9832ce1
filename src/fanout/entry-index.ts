import { compileTopicPattern, isTopicPattern } from '../../protocol/destination.ts'
import type { Delivery, WatchTarget } from '../broker/broker.ts'
import type { Entry } from './entry.ts'
import { TopicIndex } from '../lib/topic-index.ts'
import { privateTwin } from './watch-place.ts'

/** Stands for "whatever destination of this user"; real ones begin with a slash. */
const ANY = ''

const TOPIC_SYNTAX = { isPattern: isTopicPattern, compile: compileTopicPattern }

/** Where an entry is found: a target, for users narrowed to one destination. */
export interface EntryPlace {
  readonly target: WatchTarget
  /** Only for users; undefined is every destination of the user. */
  readonly userDestination: string | undefined
}

/** The node's entries, found by place when someone joins and by delivery when a message arrives. */
export class EntryIndex {
  readonly #topics: TopicIndex<Entry>
  readonly #privates = new Map<string, Entry>()
  readonly #users = new Map<string, Map<string, Entry>>()

  constructor(maxRememberedTopics: number) {
    this.#topics = new TopicIndex(TOPIC_SYNTAX, maxRememberedTopics)
  }

  get({ target, userDestination = ANY }: EntryPlace): Entry | undefined {
    if (target.kind === 'topic') return this.#topics.get(target.pattern)
    if (target.kind === 'private') return this.#privates.get(target.topic)
    return this.#users.get(target.user)?.get(userDestination)
  }

  set({ target, userDestination = ANY }: EntryPlace, entry: Entry): void {
    const twin = privateTwin(target)
    if (twin !== undefined) this.#privates.set(twin, entry)
    switch (target.kind) {
      case 'topic':
        this.#topics.set(target.pattern, entry)
        break
      case 'private':
        this.#privates.set(target.topic, entry)
        break
      case 'user': {
        const entries = this.#users.get(target.user) ?? new Map<string, Entry>()
        this.#users.set(target.user, entries.set(userDestination, entry))
      }
    }
  }

  delete({ target, userDestination = ANY }: EntryPlace): void {
    const twin = privateTwin(target)
    if (twin !== undefined) this.#privates.delete(twin)
    switch (target.kind) {
      case 'topic':
        this.#topics.delete(target.pattern)
        break
      case 'private':
        this.#privates.delete(target.topic)
        break
      case 'user': {
        const entries = this.#users.get(target.user)
        entries?.delete(userDestination)
        if (entries?.size === 0) this.#users.delete(target.user)
      }
    }
  }

  /** Users with an entry. */
  get userCount(): number {
    return this.#users.size
  }

  /** Calls `found` with each entry that wants the delivery. */
  find({ address }: Delivery, found: (entry: Entry | undefined) => void): void {
    switch (address.kind) {
      case 'topic':
        found(this.#topics.exact(address.topic))
        for (const entry of this.#topics.matching(address.topic)) found(entry)
        break
      case 'private':
        found(this.#privates.get(address.topic))
        break
      case 'user': {
        const entries = this.#users.get(address.user)
        found(entries?.get(address.destination))
        found(entries?.get(ANY))
      }
    }
  }
}
