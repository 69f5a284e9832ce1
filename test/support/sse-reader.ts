import { within } from '../../src/lib/within.ts'
import type { Witness } from './witness.ts'
import { Inbox } from './inbox.ts'

/** How long a test waits for what must come, milliseconds: generous, since machines are shared. */
const PATIENCE_MS = 60_000

interface Teardown {
  teardown(fn: () => void | Promise<void>): void
}

/** Where the events of a feed come over STOMP. */
const DESTINATIONS: Readonly<Record<string, string>> = {
  notification: '/user/queue/notifications',
  broadcast: '/topic/broadcasts',
  order: '/user/queue/orders',
  operation: '/user/queue/operations',
}

export interface SseEvent {
  /** `message` where the stream names none. */
  readonly event: string
  readonly data: string
  /** The last `id` that the stream has said, this event's included. */
  readonly id: string
}

/** Reads an event stream as browsers do (HTML standard, section 9.2.6), and keeps what comes. */
export class SseReader {
  /** Sees all that readers of this process get. */
  static witness: Witness | undefined
  readonly response: Response
  readonly events = new Inbox<SseEvent>()
  readonly comments = new Inbox<string>()
  /** Resolves when the stream has ended, however. */
  readonly ended: Promise<void>
  retryMs: number | undefined
  lastEventId = ''
  readonly #abort: AbortController
  #taken = 0
  #fields: { event: string; data: string[] } = { event: '', data: [] }

  private constructor(response: Response, abort: AbortController) {
    this.response = response
    this.#abort = abort
    this.ended = this.#read()
  }

  /** @throws where the answer is not 200 */
  static async open(
    t: Teardown,
    url: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<SseReader> {
    const abort = new AbortController()
    t.teardown(() => abort.abort())
    const response = await fetch(url, { headers, signal: abort.signal })
    const { status } = response
    const text = status === 200 ? '' : await response.text()
    const [mediaType = ''] = (response.headers.get('content-type') ?? '').split(';')
    const { pathname: path } = new URL(url)
    SseReader.witness?.exchange({ method: 'GET', path, status, mediaType, text })
    if (status !== 200) throw new Error(`${status}: ${text}`)
    return new SseReader(response, abort)
  }

  /** The next event that was not taken. Rejects where the stream ends first. */
  async next(): Promise<SseEvent> {
    const index = this.#taken++
    const ended = this.ended.then(() => {
      const event = this.events.items[index]
      if (event === undefined) throw new Error('the stream ended')
      return event
    })
    const next = Promise.race([this.events.at(index), ended])
    return within(
      next,
      PATIENCE_MS,
      () => new Error(`no event came after ${JSON.stringify(this.events.items)}`),
    )
  }

  /** Likewise, with its data parsed. */
  async nextJson(): Promise<{ event: string; id: string; data: Record<string, unknown> }> {
    const { event, id, data } = await this.next()
    return { event, id, data: JSON.parse(data) as Record<string, unknown> }
  }

  /** Hangs up. */
  async close(): Promise<void> {
    this.#abort.abort()
    await this.ended
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder()
    let rest = ''
    try {
      for await (const chunk of this.response.body!) {
        const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n')
        rest = lines.pop()!
        for (const line of lines) this.#line(line)
      }
    } catch {
      // It was cut, by us or by the server.
    }
  }

  #line(line: string): void {
    if (line === '') {
      this.#dispatch()
      return
    }
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === '') this.comments.push(value)
    if (name === 'event') this.#fields.event = value
    if (name === 'data') this.#fields.data.push(value)
    if (name === 'id') this.lastEventId = value
    if (name === 'retry') this.retryMs = Number(value)
  }

  #dispatch(): void {
    const { event, data } = this.#fields
    this.#fields = { event: '', data: [] }
    if (data.length === 0) return
    const destination = DESTINATIONS[event]
    if (destination !== undefined) SseReader.witness?.received(destination, data.join('\n'))
    this.events.push({ event: event === '' ? 'message' : event, data: data.join('\n'), id: this.lastEventId })
  }
}
