import { randomUUID } from 'node:crypto'
import { connect, type Channel } from 'amqplib'
import type { Test } from 'tap'
import { VIOLATIONS, type ViolationRow } from '../../protocol/errors.ts'
import { Peer } from '../conformance/peer.ts'
import { rawHeader, type WireFrame } from '../conformance/wire.ts'
import { faultCloseCode, faultMessage } from './fault-ending.ts'
import type { Outcome, Refusal, RefusedFrame, Scene } from './refusal.ts'

/** Where a case is run: the same virtual host straight and through the relay. */
export interface Place {
  readonly stompUrl: string
  readonly amqpUrl: string
  /** `ws://…/ws` of a relay over it. */
  readonly relayUrl: string
  readonly ctl: Scene['ctl']
}

/** The receipt that the refused frame asks for. */
const RECEIPT = 'refused'

/**
 * Runs the case against RabbitMQ itself, and through the relay with and without `/user/queue/errors`.
 *
 * @param options.isBrief leaves out the second where it must make no difference
 */
export async function judgeRefusal(
  t: Test,
  refusal: Refusal,
  { placeOf, isBrief = false }: { placeOf: (t: Test) => Promise<Place>; isBrief?: boolean },
): Promise<void> {
  await t.test(`${refusal.id}: RabbitMQ`, async (t) => judgeRabbitMq(t, refusal, await placeOf(t)))
  await t.test(`${refusal.id}: the relay, to a plain client`, async (t) =>
    judgeRelay(t, refusal, await placeOf(t), { hears: false }),
  )
  if (refusal.isFirst === true || (isBrief && 'violation' in refusal.relay)) return
  await t.test(`${refusal.id}: the relay, to one that listens`, async (t) =>
    judgeRelay(t, refusal, await placeOf(t), { hears: true }),
  )
}

async function judgeRabbitMq(t: Test, refusal: Refusal, place: Place): Promise<void> {
  const { hostname, port, username, password, pathname } = new URL(place.stompUrl)
  const peer = await Peer.openTcp(hostname, Number(port))
  t.teardown(() => peer.terminate())
  const host = decodeURIComponent(pathname.slice(1))
  const login = ['accept-version', '1.2', 'host', host, 'login', username, 'passcode', password]
  const isFirst = refusal.isFirst === true || refusal.direct !== undefined
  if (!isFirst) await connected(peer, login)
  await provoke(await useScene(t, place, peer), refusal.direct ?? refusal.steps)
  const { error, closes } = refusal.rabbitMq
  if (error === undefined) {
    await peer.until(() => peer.closeCode, 'a close')
    t.notOk(peer.take('ERROR'), 'it says nothing')
    return
  }
  t.equal(rawHeader(await peer.next('ERROR'), 'message'), error)
  if (closes) await peer.until(() => peer.closeCode, 'a close')
  else if (refusal.isFirst === true) await connected(peer, login)
  else if (refusal.direct === undefined) await asked(peer, 'SEND', ['destination', '/topic/alive'], 'x')
}

async function judgeRelay(
  t: Test,
  refusal: Refusal,
  place: Place,
  { hears }: { hears: boolean },
): Promise<void> {
  const peer = await Peer.open(place.relayUrl, ['v12.stomp'])
  t.teardown(() => peer.terminate())
  if (refusal.isFirst !== true) {
    await connected(peer, ['accept-version', '1.2', 'host', '/', 'login', 'guest', 'passcode', 'guest'])
    if (hears) await asked(peer, 'SUBSCRIBE', ['id', 'errors', 'destination', '/user/queue/errors'])
  }
  const frame = await provoke(await useScene(t, place, peer), refusal.steps)
  const receipt = frame !== undefined && 'command' in frame ? RECEIPT : undefined
  const { relay } = refusal
  if ('passes' in relay) await peer.receipt(RECEIPT)
  else if ('fault' in relay && hears) await assertFault(t, peer, relay.fault, receipt)
  else await assertEnd(t, peer, relay, receipt)
  const isReceipted = peer.take('RECEIPT', (each) => rawHeader(each, 'receipt-id') === RECEIPT) !== undefined
  t.notOk(isReceipted, 'no RECEIPT for what was refused')
}

async function assertFault(t: Test, peer: Peer, code: string, receipt: string | undefined): Promise<void> {
  const fault: unknown = JSON.parse((await peer.message('errors')).body.toString())
  t.match(fault, { code, ...(receipt !== undefined && { receipt }) })
  await asked(peer, 'SEND', ['destination', '/topic/alive'], 'the session lives')
}

async function assertEnd(
  t: Test,
  peer: Peer,
  outcome: Exclude<Outcome, { passes: string }>,
  receipt: string | undefined,
): Promise<void> {
  const error = await peer.next('ERROR')
  const message = rawHeader(error, 'message') ?? ''
  const { begins, closeCode } = endOf(outcome)
  // The wire escapes colons.
  t.ok(message.replaceAll('\\c', ':').startsWith(begins), message)
  if ('violation' in outcome && outcome.detail !== undefined) {
    t.match(message.replaceAll('\\c', ':'), outcome.detail)
  }
  assertNamed(t, error, receipt)
  t.equal(await peer.until(() => peer.closeCode, 'a close'), closeCode)
}

/** ERROR says which frame it is about. */
function assertNamed(t: Test, error: WireFrame, receipt: string | undefined): void {
  t.equal(rawHeader(error, 'receipt-id'), receipt)
}

function endOf(outcome: Exclude<Outcome, { passes: string }>): { begins: string; closeCode: number } {
  if ('fault' in outcome) {
    return { begins: faultMessage(outcome.fault), closeCode: faultCloseCode(outcome.fault) }
  }
  const { message, closeCode }: ViolationRow = VIOLATIONS[outcome.violation]
  return { begins: message, closeCode }
}

async function provoke(scene: Scene, steps: Refusal['steps']): Promise<RefusedFrame | undefined> {
  const frame = await steps(scene)
  if (frame === undefined) return undefined
  if ('raw' in frame) scene.peer.write(frame.raw)
  else scene.peer.send(frame.command, [...frame.headers, 'receipt', RECEIPT], frame.body)
  return frame
}

async function useScene(t: Test, place: Place, peer: Peer): Promise<Scene> {
  const { username, pathname } = new URL(place.amqpUrl)
  return {
    peer,
    amqp: await useChannel(t, place.amqpUrl),
    vhost: decodeURIComponent(pathname.slice(1)),
    account: username,
    ctl: place.ctl,
    name: () => `refusals-${randomUUID()}`,
    ask: async (command, headers, body) => asked(peer, command, headers, body),
  }
}

async function useChannel(t: Test, url: string): Promise<Channel> {
  const connection = await connect(url)
  // An operator may end it; that is what some cases are about.
  connection.on('error', () => undefined)
  t.teardown(async () => connection.close().catch(() => undefined))
  const channel = await connection.createChannel()
  channel.on('error', () => undefined)
  return channel
}

async function connected(peer: Peer, headers: readonly string[]): Promise<void> {
  peer.send('CONNECT', headers)
  await peer.next('CONNECTED')
}

async function asked(peer: Peer, command: string, headers: readonly string[], body?: string): Promise<void> {
  const id = `ask-${randomUUID()}`
  peer.send(command, [...headers, 'receipt', id], body)
  await peer.receipt(id)
}
