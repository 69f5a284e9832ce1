import { violation } from '../../../protocol/errors.ts'
import { header, type ClientFrame, type HeaderList } from '../../../protocol/frame.ts'
import type { Fault } from '../../../protocol/payload/fault.ts'
import { isBindableTopic, roomOfDestination } from '../../../protocol/destination.ts'
import { MessageError } from '../../errors.ts'
import type { SubscribeRequest } from '../../fanout/hub.ts'
import type { Recovery, StartPosition } from '../../fanout/replay.ts'
import type { AckMode } from '../../inbound/broker-link.ts'
import type { SubscribeCall } from '../../inbound/call.ts'
import type { Permit } from '../../inbound/permit.ts'
import type { Route } from '../../inbound/route.ts'
import { observedOutlet, PRIVATE_QUEUE, type Outlet } from '../delivery-observer.ts'
import { GuardedDelivery } from '../guarded-delivery.ts'
import type { SessionContext } from '../session-context.ts'
import type { Subscription } from '../subscriptions.ts'
import { requiredHeader } from './required-header.ts'
import { recoveryHeaders, recoveryMessage, startPosition, withoutStart } from './start-position.ts'
import { isDurable, subscriptionIdOf } from './subscription-id.ts'

interface Asked {
  readonly id: string
  readonly call: SubscribeCall
  readonly ack: AckMode
  readonly from: StartPosition | undefined
  /** What it rests on besides the policy's table. */
  readonly permit: Permit | undefined
}

interface Attached {
  readonly subscription: Subscription
  readonly recovery: Recovery
  readonly guard?: GuardedDelivery
}

/** The queue of answers and faults to this session alone; it needs no broker. */
const REPLY_QUEUE = '/user/queue/errors'

/**
 * SUBSCRIBE: its RECEIPT says that every message published from now on will arrive, and how far what is
 * stored has been replayed.
 */
export function subscribe(session: SessionContext, frame: ClientFrame): Promise<void> {
  const id = subscriptionIdOf(session, frame)
  const destination = requiredHeader(frame, 'destination')
  if (session.subscriptions.has(id)) throw violation('duplicate-subscription', id)
  assertId(id, frame)
  const call: SubscribeCall = {
    kind: 'SUBSCRIBE',
    session: session.view,
    destination,
    headers: frame.headers,
  }
  const asked = { id, call, ack: ackMode(frame.headers), from: startPosition(frame.headers) }
  return session.settle(frame, permitted(session, asked))
}

/** @throws ProtocolViolation for what RabbitMQ's STOMP guide asks of ids, and STOMP does not */
function assertId(id: string, frame: ClientFrame): void {
  // Replies come under such a name ("Temp Queue Destinations").
  if (id.startsWith('/temp-queue/')) throw violation('bad-header', 'an id must not begin with /temp-queue/')
  // In 1.0 it may be missing otherwise: only by it does a durable subscription find its messages again.
  if (isDurable(frame.headers)) requiredHeader(frame, 'id')
}

/** The permit is there before the policy is asked, so that no change of what it rests on is missed. */
async function permitted(session: SessionContext, asked: Omit<Asked, 'permit'>): Promise<readonly string[]> {
  const permit = session.services.inbound.permit(asked.call)
  try {
    return await open(session, { ...asked, permit })
  } catch (error) {
    permit?.end()
    session.subscriptions.refuse(asked.id)
    throw error
  }
}

async function open(session: SessionContext, asked: Asked): Promise<readonly string[]> {
  const { subscriptions, services } = session
  if (subscriptions.size >= services.limits.subscriptions) {
    throw new MessageError(
      'too-many-subscriptions',
      `more than ${services.limits.subscriptions} subscriptions`,
    )
  }
  await services.inbound.accept(asked.call)
  const { subscription, recovery, guard } = await attach(session, asked)
  const refusal = guard?.begin((error) => session.cancelled(asked.id, error))
  if (session.state === 'CLOSING' || refusal !== undefined) subscription.close?.()
  else subscriptions.set(asked.id, attending(session, subscription))
  if (refusal !== undefined) throw refusal.error
  if (asked.call.destination === REPLY_QUEUE) session.listens()
  tellReason(session, asked, recovery)
  return recoveryHeaders(recovery)
}

async function attach(session: SessionContext, asked: Asked): Promise<Attached> {
  const { destination } = asked.call
  // Where nothing is stored there is nothing to begin with.
  const recovery: Recovery = asked.from === undefined ? {} : { recovered: false, reason: 'not-a-stream' }
  if (destination === REPLY_QUEUE) return { subscription: { kind: 'reply', destination }, recovery }
  const route = session.services.inbound.route(destination)
  if (route.kind === 'app') return { subscription: await answer(session, asked), recovery }
  const target = sharedTarget(session, route, asked)
  if (target === undefined) return { subscription: await atBroker(session, asked), recovery }
  return onHub(session, asked, target)
}

/** Who subscribes to a room is in it, for as long as that lasts. */
function attending(session: SessionContext, subscription: Subscription): Subscription {
  const room = roomOfDestination(subscription.destination)
  if (room === undefined) return subscription
  const leave = session.services.registry.enter(session, room)
  return {
    ...subscription,
    close: () => {
      subscription.close?.()
      leave()
    },
  }
}

/** The subscription stands; that it cannot be complete is no fault of it. */
function tellReason(session: SessionContext, { call }: Asked, { reason }: Recovery): void {
  if (reason === undefined) return
  const { destination, headers } = call
  const receipt = header(headers, 'receipt')
  const message = recoveryMessage(reason)
  const fault: Fault = { code: reason, message, destination, ...(receipt !== undefined && { receipt }) }
  session.reply(REPLY_QUEUE, fault)
}

async function answer(session: SessionContext, { id, call }: Asked): Promise<Subscription> {
  const { destination } = call
  const reply = (queue: string, payload: unknown): void => void session.reply(queue, payload)
  session.deliver(id, destination, await session.services.inbound.answer(call, reply))
  return { kind: 'answered', destination }
}

async function onHub(
  session: SessionContext,
  { id, call, from, permit }: Asked,
  target: SubscribeRequest['target'],
): Promise<Attached> {
  const { destination } = call
  const { transport } = session
  const guard = permit && new GuardedDelivery({ permit, destination, transport })
  const outlet = outletFor(session, destination, guard ?? transport)
  const subscription = await session.services.hub.subscribe({
    target,
    destination,
    ...(target.kind === 'user' && { userDestination: destination }),
    ...(from !== undefined && { from }),
    subscriber: {
      subscriptionId: id,
      version: session.version,
      deliver: (batch) => outlet.deliver(batch),
      room: () => outlet.room(),
      isGone: () => session.state === 'CLOSING' || guard?.isEnded === true,
    },
  })
  const close = (): void => {
    subscription.close()
    guard?.end()
  }
  return {
    subscription: { kind: 'hub', destination, close },
    recovery: subscription.recovery,
    ...(guard && { guard }),
  }
}

/** Of private messages it is told who was handed them. */
function outletFor(session: SessionContext, destination: string, outlet: Outlet): Outlet {
  if (destination !== PRIVATE_QUEUE) return outlet
  const user = session.view.principal.name
  const isOver = (): boolean => session.state === 'CLOSING'
  return observedOutlet(outlet, { user, observer: session.services.deliveries, isOver })
}

async function atBroker(session: SessionContext, { id, call, ack }: Asked): Promise<Subscription> {
  const { destination } = call
  const own = await session.link.own()
  await own.subscribe({ id, destination, ack, headers: withoutStart(call.headers) })
  return { kind: 'broker', destination }
}

/**
 * What the node can watch for all its clients at once, or undefined where the client's own broker
 * session has to: for acks, durable and special subscriptions, and names AMQP cannot bind.
 */
function sharedTarget(
  session: SessionContext,
  route: Route,
  { call, ack }: Asked,
): SubscribeRequest['target'] | undefined {
  const isPlain = ack === 'auto' && !asksForMore(call.headers)
  if (route.kind === 'broker') return undefined
  if (route.kind === 'topic') {
    const isShared = isPlain && isBindableTopic(route.topic)
    return isShared ? { kind: 'topic', pattern: route.topic } : undefined
  }
  if (route.kind === 'app' || route.kind === 'user') {
    throw new MessageError('invalid-destination', `${call.destination} cannot be subscribed to`)
  }
  if (!isPlain) throw new MessageError('invalid-header', `${call.destination} takes plain subscriptions only`)
  return route.kind === 'private' ? route : { kind: 'user', user: session.view.principal.name }
}

/** Headers by which RabbitMQ makes another queue than the plain one (its STOMP guide). */
function asksForMore(headers: HeaderList): boolean {
  return headers.some((name, i) => i % 2 === 0 && (name.startsWith('x-') || SPECIAL.has(name)))
}

const SPECIAL = new Set(['durable', 'persistent', 'auto-delete', 'exclusive', 'prefetch-count'])

function ackMode(headers: HeaderList): AckMode {
  const mode = header(headers, 'ack') ?? 'auto'
  if (mode !== 'auto' && mode !== 'client' && mode !== 'client-individual') {
    throw violation('bad-header', `ack:${mode}`)
  }
  return mode
}
