import { setImmediate as turn } from 'node:timers/promises'
import { deferred } from '../../src/lib/deferred.ts'
import type { ConnectHeaders } from '../load/client-plan.ts'
import type { WsEndpoint } from '../load/ws-client.ts'
import { CrimeClient } from './crime-client.ts'

/** Different things that are counted; the rest is counted together. */
const MAX_NOTES = 40
const REST = 'other'

export type CrimeRecord = Readonly<Record<string, number>>

/** Where a crime happens: connections to the server, an end, and a record of what became of it. */
export class Scene {
  readonly endpoint: WsEndpoint
  readonly #clients = new Set<CrimeClient>()
  readonly #onEnd = new Set<() => void>()
  readonly #people: readonly ConnectHeaders[]
  readonly #record = new Map<string, number>()
  readonly #begun = deferred()
  readonly #over = deferred()
  #isOver = false

  /** @param people credentials of the criminal, under several names */
  constructor(endpoint: WsEndpoint, people: readonly ConnectHeaders[]) {
    this.endpoint = endpoint
    this.#people = people
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get record(): CrimeRecord {
    return Object.fromEntries([...this.#record].toSorted(([a], [b]) => a.localeCompare(b)))
  }

  person(index: number): ConnectHeaders {
    return this.#people[index % this.#people.length] ?? []
  }

  /** Resolves when there is something to count. */
  get begun(): Promise<void> {
    return this.#begun.promise
  }

  count(what: string, by = 1): void {
    this.#begun.resolve()
    const name = this.#record.has(what) || this.#record.size < MAX_NOTES ? what : REST
    this.#record.set(name, (this.#record.get(name) ?? 0) + by)
  }

  /**
   * Opens a WebSocket and says nothing. What ends it is counted.
   *
   * @param how other than the endpoint says
   * @throws Error where it is refused
   */
  async open(how: Partial<WsEndpoint> = {}): Promise<CrimeClient> {
    this.#assertOpen()
    const client = new CrimeClient(
      { ...this.endpoint, ...how },
      {
        onError: (message) => this.count(`ERROR ${message}`),
        onEnd: (reason) => {
          this.#clients.delete(client)
          if (!this.isOver) this.count(withoutDetail(reason))
        },
      },
    )
    this.#clients.add(client)
    await client.opened
    return client
  }

  /** Opens and connects. @throws Error where either is refused */
  async connect(person = 0, how: Partial<WsEndpoint> = {}): Promise<CrimeClient> {
    const client = await this.open(how)
    await client.connect(this.person(person))
    return client
  }

  /** Does something again and again until the end; failures are part of it. */
  async repeat(act: (count: number) => Promise<void>): Promise<void> {
    for (let count = 0; !this.isOver; count++) {
      await act(count).catch(() => undefined)
      // Where all fails at once, the criminal must not forget to listen for the end.
      await turn()
    }
  }

  /** Resolves at the end. */
  async wait(): Promise<void> {
    await this.#over.promise
  }

  /** For what is no WebSocket. */
  onEnd(act: () => void): void {
    this.#onEnd.add(act)
  }

  /** Everything is let go. */
  end(): void {
    this.#isOver = true
    this.#over.resolve()
    for (const client of this.#clients) client.destroy()
    for (const act of this.#onEnd) act()
  }

  #assertOpen(): void {
    if (this.isOver) throw new Error('over')
  }
}

/** What follows a colon differs each time. */
function withoutDetail(reason: string): string {
  return reason.split(':')[0] ?? reason
}
