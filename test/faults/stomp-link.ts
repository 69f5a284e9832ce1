import { Client, type IFrame } from '@stomp/stompjs'
import { WebSocket } from 'ws'
import { deferred } from '../../src/lib/deferred.ts'
import type { Cluster } from './cluster.ts'

export interface StompLinkOptions {
  readonly cluster: Pick<Cluster, 'urlFor'>
  /** The node it connects to while that lives. */
  readonly home: number
  readonly token: string
  /** Before it connects again. Default 50. */
  readonly reconnectMs?: number
  readonly onConnect: () => void
  readonly onReceipt: (frame: IFrame) => void
  readonly onClose: () => void
}

interface Teardown {
  teardown(fn: () => Promise<void>): void
}

const RECONNECT_MS = 50

/** An ordinary STOMP client, as web pages use it, that finds a living node by itself. */
export class StompLink {
  /** What the server said before it closed: nothing it should have to say here. */
  readonly errors: string[] = []
  readonly #client: Client
  #socket: WebSocket | undefined

  constructor(t: Teardown, options: StompLinkOptions) {
    const { cluster, home, token } = options
    this.#client = new Client({
      webSocketFactory: () => {
        this.#socket = new WebSocket(cluster.urlFor(home), ['v12.stomp'])
        return this.#socket
      },
      connectHeaders: { Authorization: `Bearer ${token}` },
      reconnectDelay: options.reconnectMs ?? RECONNECT_MS,
      onConnect: () => options.onConnect(),
      onUnhandledReceipt: (frame) => options.onReceipt(frame),
      onWebSocketClose: () => options.onClose(),
      onStompError: ({ headers, body }) => this.errors.push(`${headers['message'] ?? ''}: ${body}`),
    })
    t.teardown(() => this.#client.deactivate({ force: true }))
  }

  get client(): Client {
    return this.#client
  }

  /** Resolves when it is connected for the first time. */
  async open(): Promise<void> {
    const connected = deferred()
    const { onConnect } = this.#client
    this.#client.onConnect = (frame) => {
      onConnect(frame)
      connected.resolve()
    }
    this.#client.activate()
    await connected.promise
  }

  /** Breaks the connection without a word; it connects again by itself. */
  cut(): void {
    this.#socket?.terminate()
  }
}
