import { deferred, type Deferred } from '../../src/lib/deferred.ts'

/** One message that a writer wants stored, once. */
export interface PlannedMessage {
  /** Its content too, by which it is known again. */
  readonly clientId: string
  readonly destination: string
  readonly body: string
  /** Where its event has to be. */
  readonly streams: readonly string[]
}

/** Whom private messages are for, and as whom subscribers come. */
export const READER = 'reader'

/** What subscribers watch, and in which streams the events are. */
export const WATCHED: readonly { readonly destination: string; readonly stream: string }[] = [
  { destination: '/topic/messages', stream: '/topic/messages' },
  { destination: '/topic/rooms.tea', stream: '/topic/rooms.tea' },
  { destination: '/topic/rooms.coffee', stream: '/topic/rooms.coffee' },
  { destination: '/user/queue/messages', stream: `/user/${READER}/queue/messages` },
]

/** What several writers are to send, up to where they may go, and how far they have come. */
export class MessagePlan {
  /** Messages whose RECEIPT came. */
  readonly receipted: PlannedMessage[] = []
  #taken = 0
  #allowed = 0
  #waiting: { readonly count: number; readonly done: Deferred<void> }[] = []
  #onAllowed: (() => void)[] = []

  get allowed(): number {
    return this.#allowed
  }

  /** Writers may go up to this many messages, all together. */
  allow(count: number): void {
    this.#allowed = Math.max(this.#allowed, count)
    for (const listener of this.#onAllowed) listener()
  }

  onAllowed(listener: () => void): void {
    this.#onAllowed.push(listener)
  }

  /** The next message, of this writer; undefined where none may be sent now. */
  take(writer: string): PlannedMessage | undefined {
    if (this.#taken >= this.#allowed) return undefined
    this.#taken += 1
    return plannedMessage(writer, this.#taken)
  }

  onReceipt(message: PlannedMessage): void {
    this.receipted.push(message)
    const reached = this.#waiting.filter(({ count }) => count <= this.receipted.length)
    this.#waiting = this.#waiting.filter(({ count }) => count > this.receipted.length)
    for (const { done } of reached) done.resolve()
  }

  /** Resolves when so many messages have their RECEIPT. */
  async reached(count: number): Promise<void> {
    if (this.receipted.length >= count) return
    const done = deferred()
    this.#waiting.push({ count, done })
    await done.promise
  }
}

function plannedMessage(writer: string, n: number): PlannedMessage {
  const clientId = `${writer}-${n}`
  const said = { content: clientId, clientId }
  switch (n % 4) {
    case 0:
      return planned('/app/messages', said, ['/topic/messages'])
    case 1:
      return planned('/app/rooms/tea/messages', said, ['/topic/rooms.tea'])
    case 2:
      return planned('/app/rooms/coffee/messages', said, ['/topic/rooms.coffee'])
    default:
      return planned('/app/messages', { ...said, receiver: READER }, [
        `/user/${READER}/queue/messages`,
        `/user/${writer}/queue/messages`,
      ])
  }
}

function planned(
  destination: string,
  said: { clientId: string; content: string; receiver?: string },
  streams: readonly string[],
): PlannedMessage {
  return { clientId: said.clientId, destination, body: JSON.stringify(said), streams }
}
