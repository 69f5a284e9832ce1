import type { Channel } from 'amqplib'
import type { ViolationCode } from '../../protocol/errors.ts'
import type { FaultCode } from '../../src/errors.ts'
import type { Peer } from '../conformance/peer.ts'

/** Something that RabbitMQ refuses, what it says then, and what comes of it through the relay. */
export interface Refusal {
  readonly id: string
  /** What the client, or an operator, does. */
  readonly what: string
  readonly rabbitMq: Answer
  readonly relay: Outcome
  /** The frame in question comes instead of CONNECT. */
  readonly isFirst?: true
  /**
   * Does what leads to it.
   * @returns the frame that is refused; nothing where it is no frame's fault
   */
  readonly steps: Steps
  /** What is done to RabbitMQ itself, before CONNECT, where the relay does that by itself. */
  readonly direct?: Steps
}

type Steps = (scene: Scene) => RefusedFrame | undefined | Promise<RefusedFrame | undefined>

/** RabbitMQ's answer, over TCP. */
export interface Answer {
  /** The ERROR's `message`; missing where it closes without one. */
  readonly error?: string
  /** Whether it closes the connection. */
  readonly closes: boolean
}

export type Outcome =
  /** The session lives where the client listens at `/user/queue/errors`, and else ends with ERROR. */
  | { readonly by: Judge; readonly fault: FaultCode }
  /** ERROR and close, whoever listens. */
  | { readonly by: Judge; readonly violation: ViolationCode; readonly detail?: RegExp }
  /** Nothing is refused. */
  | { readonly passes: string }

/** Who refuses it: the relay, before RabbitMQ gets to see it, or RabbitMQ. */
export type Judge = 'relay' | 'RabbitMQ'

export type RefusedFrame =
  | { readonly command: string; readonly headers: readonly string[]; readonly body?: string }
  | { readonly raw: string }

/** One run of a case: a client, and the virtual host that its frames lead to. */
export interface Scene {
  readonly peer: Peer
  readonly amqp: Channel
  readonly vhost: string
  /** RabbitMQ's, which the relay uses too. */
  readonly account: string
  readonly ctl: (...args: string[]) => Promise<string>
  /** A name that nobody else uses. */
  name(): string
  /** Sends a frame and waits for its RECEIPT. */
  ask(command: string, headers: readonly string[], body?: string): Promise<void>
}
