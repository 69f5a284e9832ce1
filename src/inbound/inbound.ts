import { isBindableTopic } from '../../protocol/destination.ts'
import { header } from '../../protocol/frame.ts'
import type { App } from '../app/app.ts'
import type { PolicyFacts } from '../auth/policy.ts'
import type { Broker, BrokerSessionSink } from '../broker/broker.ts'
import { BrokerLink } from './broker-link.ts'
import type { InboundCall, SendCall, SessionView, SubscribeCall } from './call.ts'
import { runChain, type Interceptor } from './chain.ts'
import type { Permit } from './permit.ts'
import { Permits } from './permits.ts'
import { resolveRoute, type Route } from './route.ts'

type Reply = (destination: string, payload: unknown) => void

/** What a session asks for each frame: may it, where does it lead, and then: do it. */
export class Inbound {
  readonly #interceptors: readonly Interceptor[]
  readonly #app: App
  readonly #broker: Broker
  readonly #permits: Permits

  constructor(parts: { interceptors: readonly Interceptor[]; app: App; broker: Broker; facts: PolicyFacts }) {
    this.#interceptors = parts.interceptors
    this.#app = parts.app
    this.#broker = parts.broker
    this.#permits = new Permits(parts)
  }

  /** Runs the interceptors. Throws or rejects where one refuses; a promise only where one needs I/O. */
  accept(call: InboundCall): void | Promise<void> {
    return runChain(this.#interceptors, call)
  }

  /**
   * What a subscription that is asked for will rest on besides the table. To be had before it is accepted,
   * so that no change is missed; whoever gets one has to end it.
   */
  permit({ kind, session, destination }: SubscribeCall): Permit | undefined {
    return this.#permits.open({ principal: session.principal, action: kind, destination })
  }

  /** @throws MessageError where the destination leads nowhere */
  route(destination: string): Route {
    return resolveRoute(destination)
  }

  /** Whether a SEND within a transaction belongs to the broker's; anything else runs after its COMMIT. */
  isBrokerTransaction(call: SendCall): boolean {
    const { kind } = this.route(call.destination)
    return kind === 'broker' || kind === 'topic'
  }

  /** A client's way to the broker; the session closes it when it ends. */
  openLink(view: SessionView, sink: BrokerSessionSink): BrokerLink {
    return new BrokerLink(this.#broker, view, sink)
  }

  /**
   * Lets an accepted SEND take effect. Resolves when its RECEIPT is true: the handler's effect is
   * durable, or the broker has the message.
   */
  async send(call: SendCall, way: { link: BrokerLink; reply: Reply }): Promise<void> {
    const route = this.route(call.destination)
    switch (route.kind) {
      case 'app':
        return this.#app.handleMessage({ ...contextOf(call), reply: way.reply }, call.body)
      case 'broker':
        return way.link.send(call)
      case 'own':
        return way.link.publish(
          { kind: 'user', user: call.session.principal.name, destination: route.destination },
          call,
        )
      case 'topic':
        return needsOwnSession(route.topic, call) ? way.link.send(call) : way.link.publish(route, call)
      case 'private':
      case 'user':
        return way.link.publish(route, call)
    }
  }

  /** The one answer to a SUBSCRIBE at `/app/…`. */
  async answer(call: SubscribeCall, reply: Reply): Promise<unknown> {
    return this.#app.answerSubscription({ ...contextOf(call), reply })
  }
}

/**
 * `reply-to:/temp-queue/…` names a queue of the client's own broker session (RabbitMQ's STOMP guide). And
 * a routing key that AMQP cannot carry from here, RabbitMQ's STOMP plugin still takes.
 */
function needsOwnSession(topic: string, call: SendCall): boolean {
  if (!isBindableTopic(topic)) return true
  return header(call.headers, 'reply-to')?.startsWith('/temp-queue/') ?? false
}

function contextOf(call: SendCall | SubscribeCall): {
  principal: SessionView['principal']
  sessionId: string
  destination: string
  headers: SendCall['headers']
} {
  return {
    principal: call.session.principal,
    sessionId: call.session.id,
    destination: call.destination,
    headers: call.headers,
  }
}
