import type { HeaderList } from '../../protocol/frame.ts'

/**
 * The broker port: what the relay needs from whatever fans messages out. Two adapters live beside
 * this file, `memory/` (one process, nothing to install) and `rabbitmq/` (the STOMP plugin and AMQP).
 * One contract suite, `test/broker/contract.ts`, runs over both; every sentence below is in it.
 *
 * Order. Messages published by one node to one address arrive at every receiver in the order of
 * `publish` calls. A broker session's frames take effect in the order of its calls.
 *
 * Failure. A promise of this port never stays pending for ever: it is bounded by `timeoutMs` of the
 * adapter. It rejects with `MessageError` where one message was refused or could not be handed over
 * in time (`broker-unavailable`, `broker-refused`), and with `SessionError` where the client's own
 * broker session is over. What concerns the node as a whole shows in `status`.
 */
export interface Broker {
  /**
   * Begins work and delivers to `receiver` from now on. Resolves at once when the broker is away: the
   * adapter keeps trying, and `status` tells.
   */
  start(receiver: BrokerReceiver): Promise<void>

  /**
   * Resolves when the broker has the message: every watch that was resolved before this call will
   * get it, and a `queue` address will keep it. Rejects with `MessageError`. While the broker is away or
   * under an alarm a `patient` message waits, within the bound, and an impatient one is rejected at once.
   */
  publish(message: BrokerMessage, options?: { patient?: boolean }): Promise<void>

  /**
   * This node wants the messages of an address. Once it resolves, every message published later, by
   * whatever publisher, reaches the receiver. Watches of equal targets are counted: each is closed by
   * itself, and the last one ends it. Survives the broker's absence.
   */
  watch(target: WatchTarget): Promise<Watch>

  /** One client's own broker session, with the broker's own queue, ack and transaction semantics. */
  openSession(principal: { readonly name: string }, sink: BrokerSessionSink): Promise<BrokerSession>

  /**
   * Consumes a queue that outside services publish to; among all nodes each message goes to one.
   * The message is acknowledged when `handler` resolves, and given back when it rejects.
   */
  consume(queue: string, options: ConsumeOptions, handler: ConsumeHandler): Promise<Consumer>

  /**
   * Sends a short message to the node of this name, or without one to all nodes, this one included. Resolves
   * when the broker has it; a node that is away never gets it. Only nodes can send these. Rejects as
   * `publish` does.
   */
  control(message: ControlMessage, nodeId?: string): Promise<void>

  /** Calls the listener with each message of `control` to this node; returns the function that removes it. */
  onControl(listener: (message: ControlMessage) => void): () => void

  /**
   * How much waits in a queue of this name; null where there is none, or it is somebody's own. Rejects with
   * `broker-unavailable` where the broker does not say.
   */
  queueDepth(queue: string): Promise<QueueDepth | null>

  status(): BrokerStatus

  /** Calls the listener at each change of status; returns the function that removes it. */
  onStatus(listener: (status: BrokerStatus) => void): () => void

  /** Ends all sessions, watches and links. Idempotent; resolves when nothing is left. */
  close(): Promise<void>
}

/**
 * Where a message goes. `topic` is what outside publishers and wildcards reach; `private` bears names
 * of topics too, but travels where no wildcard and no outsider comes; `user` reaches every session of
 * one user on every node; `queue` is a durable queue, declared on first use where there is none of its name:
 * on several nodes of a cluster, elsewhere without arguments.
 * Topic names are the part after `/topic/`: words separated by dots.
 */
export type Address =
  | { readonly kind: 'topic'; readonly topic: string }
  | { readonly kind: 'private'; readonly topic: string }
  | { readonly kind: 'user'; readonly user: string; readonly destination: string }
  | { readonly kind: 'queue'; readonly queue: string }

/**
 * What a node may watch. In a `topic`, `*` stands for one word and `#` for any number of words, zero
 * included, as in RabbitMQ; in a `private` name nothing is special.
 */
export type WatchTarget =
  | { readonly kind: 'topic'; readonly pattern: string }
  | { readonly kind: 'private'; readonly topic: string }
  | { readonly kind: 'user'; readonly user: string }

export interface BrokerMessage {
  readonly address: Address
  /** Headers for subscribers, already validated and free of reserved names (`protocol/headers.ts`). */
  readonly headers: HeaderList
  readonly body: Uint8Array
  /** Survives a restart of the broker where a queue keeps it. */
  readonly persistent: boolean
  /** `EPOCH:OFFSET`, on stored events only. */
  readonly eventId?: string
}

/** A message as it arrives at a node: never from a `queue`. */
export interface Delivery {
  readonly address: Exclude<Address, { kind: 'queue' }>
  readonly headers: HeaderList
  readonly body: Uint8Array
  /** Only where the message provably came from a relay node. */
  readonly eventId?: string
}

/** The way back: the hub. */
export interface BrokerReceiver {
  /** Called synchronously, in order. Must not throw. */
  onMessage(delivery: Delivery): void
  /** Messages may have been missed up to now: compare heads with the store. */
  onHole(reason: string): void
}

export interface Watch {
  /** Idempotent. The node may get messages of the target for a while longer. */
  close(): void
}

export type AckMode = 'auto' | 'client' | 'client-individual'

export interface BrokerSubscription {
  /** The client's own id; any string. The adapter maps it where the broker could not bear it. */
  readonly id: string
  /** `/topic/…`, `/queue/…`, `/exchange/…`, `/amq/queue/…`, `/temp-queue/…` as the client wrote it. */
  readonly destination: string
  readonly ack: AckMode
  /** The client's other SUBSCRIBE headers (`prefetch-count`, `durable`, `x-…`). */
  readonly headers: HeaderList
}

export interface BrokerSend {
  readonly destination: string
  readonly headers: HeaderList
  readonly body: Uint8Array
  readonly transaction?: string
}

/**
 * One client's session at the broker. Methods resolve when the broker has answered with its receipt
 * and reject with `MessageError` (the session lives) or `SessionError` (it is over, and the sink was
 * told). After `close` every method rejects.
 */
export interface BrokerSession {
  /**
   * With `confirm`, resolves when the broker has the message; without, when it is handed over. Inside
   * a transaction it resolves when it is handed over: the broker acts at COMMIT.
   */
  send(message: BrokerSend, options: { confirm: boolean }): Promise<void>
  /** Resolves when every message published from now on will arrive. */
  subscribe(subscription: BrokerSubscription): Promise<void>
  unsubscribe(id: string, headers: HeaderList): Promise<void>
  /** `ackId` is `SessionMessage.ackId`. `client` mode acknowledges all before it of that subscription. */
  ack(ackId: string, options: AckOptions): Promise<void>
  /** Gives the message back for redelivery, or with `requeue:false` to the dead letters. */
  nack(ackId: string, options: AckOptions & { requeue: boolean }): Promise<void>
  begin(transaction: string): Promise<void>
  commit(transaction: string): Promise<void>
  abort(transaction: string): Promise<void>
  /** Unacknowledged messages go back to their queues. Idempotent. */
  close(): Promise<void>
}

export interface AckOptions {
  readonly transaction?: string
}

export interface SessionMessage {
  /** The client's subscription id. */
  readonly subscription: string
  readonly destination: string
  /** Unique within the session; what a 1.0 or 1.1 client acknowledges by. */
  readonly messageId: string
  /** Set where the subscription acknowledges; equal to `messageId`. */
  readonly ackId?: string
  readonly headers: HeaderList
  readonly body: Uint8Array
}

/** The way back to one client. Called synchronously, in order; must not throw. */
export interface BrokerSessionSink {
  onMessage(message: SessionMessage): void
  /**
   * Asked after each message: a promise where the client has to read first, so that its messages wait at
   * the broker, within what is under way already, and nothing where there is room. Never rejects.
   */
  room?(): Promise<void> | undefined
  /** The broker cancelled one subscription (its queue was deleted); the session lives. */
  onCancelled(subscription: string, reason: string): void
  /**
   * The session is over, and nothing more will come. Not called after the client's own `close`. A SessionError
   * `client-too-slow` where the broker waits no longer for the client to read.
   */
  onEnd(error: Error): void
}

export interface ConsumeOptions {
  /** How many messages may be unacknowledged at once. */
  readonly prefetch: number
}

export interface ConsumedMessage {
  readonly headers: HeaderList
  readonly body: Uint8Array
  readonly isRedelivered: boolean
}

export type ConsumeHandler = (message: ConsumedMessage) => Promise<void>

export interface Consumer {
  /**
   * Takes no more; resolves when the handlers under way are done and acknowledged, within the bound of
   * the adapter. A queue that would be lost with the process is emptied first. Idempotent.
   */
  close(): Promise<void>
}

/** From node to node. */
export interface ControlMessage {
  /** What it is about; receivers pass over what they do not know. */
  readonly kind: string
  /** Any text, at most some thousand characters. */
  readonly body: string
}

export interface QueueDepth {
  /** Messages that nobody has been given. */
  readonly messages: number
  readonly consumers: number
}

export interface BrokerStatus {
  readonly isUp: boolean
  /** For a person: which links are up or why they are not. No credentials. */
  readonly detail: string
  /** Set while the broker is reached and takes no messages for want of memory or disk: its reason. Subscribers go on. */
  readonly alarm?: string
  /** What the broker says it is, once it has been reached. */
  readonly server?: { readonly product: string; readonly version: string }
  /** Patterns that the node knows, and those of them that the broker has yet to bind or to unbind. */
  readonly bindings?: { readonly known: number; readonly waiting: number }
}
