import type { Watch } from '../broker/broker.ts'
import type { BatchTraits } from './encoded-batch.ts'
import type { FanoutMessage } from './fanout-message.ts'
import { Group, groupKey, type Member } from './group.ts'
import type { StreamGate } from './stream-gate.ts'

/** What an entry reports to the hub. */
export interface EntryReport {
  readonly delivered: (count: number) => void
  readonly fault: (error: unknown) => void
}

/**
 * All subscribers of one target on this node (of one destination, where the target is a user), and
 * the messages of this turn that they have not been sent.
 */
export class Entry {
  /** Resolves with the broker's watch; rejects where it was refused. */
  readonly watch: Promise<Watch>
  /** Keeps the stream of this target in order, where it is one. */
  readonly gate: StreamGate | undefined
  /** Resolves when subscribers can be attached: the watch stands and the gate is open. */
  readonly ready: Promise<void>
  /** Subscribers attached or waiting for the watch. At zero the hub ends the watch. */
  holders = 0
  readonly #report: EntryReport
  readonly #groups = new Map<string, Group>()
  #pending: FanoutMessage[] = []
  #isFlushing = false

  constructor(parts: { watch: Promise<Watch>; gate: StreamGate | undefined; report: EntryReport }) {
    this.watch = parts.watch
    this.gate = parts.gate
    this.#report = parts.report
    this.ready = this.#prepare()
  }

  /** Ends the broker's watch. Never rejects. */
  async close(): Promise<void> {
    this.gate?.close()
    // A watch that was refused leaves nothing to end.
    const watch = await this.watch.catch(() => undefined)
    watch?.close()
  }

  /**
   * Keeps a message for the flush at the end of the turn.
   * @returns whether it is the first one, so that a flush must be arranged
   */
  append(message: FanoutMessage): boolean {
    if (this.#groups.size === 0) return false
    return this.#pending.push(message) === 1
  }

  /** The member gets every message appended from now on, and none from before. */
  join(traits: BatchTraits, member: Member): Group {
    const key = groupKey(traits)
    let group = this.#groups.get(key)
    if (group === undefined) {
      group = new Group(traits, this.#pending.length)
      this.#groups.set(key, group)
    } else {
      this.#flushGroup(group)
    }
    group.members.add(member)
    return group
  }

  /**
   * The member first gets what was appended so far. From inside a `deliver` of this entry it leaves at
   * once instead: sending now would overtake the batch that others have not been handed yet.
   */
  leave(group: Group, member: Member): void {
    if (!this.#isFlushing) this.#flushGroup(group)
    group.members.delete(member)
    if (group.members.size === 0) this.#groups.delete(group.key)
  }

  /**
   * Sends everything pending to everybody.
   * @returns false where a `deliver` of this very entry led here: nothing was done, and it must be
   * asked again, because sending now would overtake the batch that is being handed out
   */
  flush(): boolean {
    if (this.#isFlushing) return false
    // What arrives while subscribers are being told goes to the next list.
    const pending = this.#pending
    this.#pending = []
    this.#isFlushing = true
    try {
      for (const group of this.#groups.values()) {
        this.#report.delivered(group.flush(pending, this.#report.fault))
        group.next = 0
      }
    } finally {
      this.#isFlushing = false
    }
    return true
  }

  /** The head is read once everything published later arrives: what lies between is in both, not in neither. */
  async #prepare(): Promise<void> {
    await this.watch
    await this.gate?.open()
  }

  #flushGroup(group: Group): void {
    this.#isFlushing = true
    try {
      this.#report.delivered(group.flush(this.#pending, this.#report.fault))
    } finally {
      this.#isFlushing = false
    }
  }
}
