import { isReservedName } from '../../protocol/destination.ts'
import { ROLES } from './principal.ts'
import type { Principal, Role } from './principal.ts'

type FactKind = 'owns-order' | 'sees-room'

/** What a verdict rests on besides the table: whose order it is, or who may see a room. */
export interface Fact {
  readonly kind: FactKind
  /** Of the order or the room. */
  readonly name: string
}

/** What a client asks of a destination. */
export type Action = 'SEND' | 'SUBSCRIBE'

/** One line of the table: who may do this to these destinations. */
export interface PolicyRow {
  readonly action: Action
  /** `{name}` is 1 to 64 of `A-Z a-z 0-9 _ -`; `**` at the end is anything, and but for `.**` and `-**` something. */
  readonly destination: string
  /** Who may. */
  readonly roles: readonly Role[]
  /** Whoever owns the order called `{order}`, or may see the room called `{room}`, may as well. */
  readonly when?: FactKind
}

/** What somebody wants to do. */
export interface PolicyRequest {
  readonly principal: Principal
  readonly action: Action
  /** As the client wrote it. */
  readonly destination: string
}

/** What the table asks of the world. */
export interface PolicyFacts {
  /** Whether the order exists and is this user's. Rejects where that cannot be found out. */
  ownsOrder(user: string, orderId: string): Promise<boolean>
  /** Whether the room is known to be public, which it then stays. */
  isPublicRoom(room: string): boolean
  /** Whether the room is public, not there, or one that the user is a member of. Rejects likewise. */
  seesRoom(user: string, room: string): Promise<boolean>
}

const EVERYBODY: readonly Role[] = ROLES
const NOBODY: readonly Role[] = []
const TRUSTED: readonly Role[] = ['service', 'admin']
const ADMIN: readonly Role[] = ['admin']

/**
 * Who may do what (CONTRACT, section 5). The first row that fits decides; where none fits, nobody
 * may. Before the table, for every role: names of the relay itself (`stomp-relay.*`) are refused in
 * any spelling, and so is a spelling that means something else once it is decoded twice.
 */
export const POLICY: readonly PolicyRow[] = [
  { action: 'SEND', destination: '/app/**', roles: EVERYBODY },
  { action: 'SUBSCRIBE', destination: '/app/**', roles: EVERYBODY },

  { action: 'SUBSCRIBE', destination: '/topic/messages', roles: EVERYBODY },
  { action: 'SUBSCRIBE', destination: '/topic/broadcasts', roles: EVERYBODY },
  { action: 'SUBSCRIBE', destination: '/topic/presence', roles: EVERYBODY },
  { action: 'SUBSCRIBE', destination: '/topic/rooms.{room}', roles: NOBODY, when: 'sees-room' },
  { action: 'SUBSCRIBE', destination: '/topic/rooms.{room}.typing', roles: NOBODY, when: 'sees-room' },
  { action: 'SUBSCRIBE', destination: '/topic/rooms.{room}.read', roles: NOBODY, when: 'sees-room' },
  { action: 'SUBSCRIBE', destination: '/topic/rooms.{room}.presence', roles: NOBODY, when: 'sees-room' },

  // Changes of orders come in by `/queue/user`: what is sent here would reach nobody.
  { action: 'SUBSCRIBE', destination: '/topic/orders', roles: ADMIN },
  { action: 'SUBSCRIBE', destination: '/topic/orders.{order}', roles: ADMIN, when: 'owns-order' },
  { action: 'SUBSCRIBE', destination: '/topic/orders.**', roles: NOBODY },
  { action: 'SEND', destination: '/topic/orders', roles: NOBODY },
  { action: 'SEND', destination: '/topic/orders.**', roles: NOBODY },

  { action: 'SUBSCRIBE', destination: '/user/queue/messages', roles: EVERYBODY },
  { action: 'SUBSCRIBE', destination: '/user/queue/notifications', roles: EVERYBODY },
  { action: 'SUBSCRIBE', destination: '/user/queue/orders', roles: EVERYBODY },
  { action: 'SUBSCRIBE', destination: '/user/queue/operations', roles: EVERYBODY },
  { action: 'SUBSCRIBE', destination: '/user/queue/receipts', roles: EVERYBODY },
  { action: 'SUBSCRIBE', destination: '/user/queue/errors', roles: EVERYBODY },
  { action: 'SUBSCRIBE', destination: '/user/queue/**', roles: TRUSTED },
  { action: 'SEND', destination: '/user/**', roles: TRUSTED },

  // The relay's own intake: a client that took from it would take orders away.
  { action: 'SUBSCRIBE', destination: '/queue/user', roles: NOBODY },
  { action: 'SUBSCRIBE', destination: '/amq/queue/user', roles: NOBODY },
  { action: 'SUBSCRIBE', destination: '/reply-queue/user', roles: NOBODY },
  { action: 'SUBSCRIBE', destination: '/queue/user.dead-letter', roles: ADMIN },
  { action: 'SUBSCRIBE', destination: '/amq/queue/user.dead-letter', roles: ADMIN },
  { action: 'SUBSCRIBE', destination: '/reply-queue/user.dead-letter', roles: ADMIN },

  // What stands behind somebody's subscription, and what RabbitMQ tells of itself: with its tracing on, all.
  { action: 'SEND', destination: '/queue/stomp-subscription-**', roles: NOBODY },
  { action: 'SUBSCRIBE', destination: '/queue/stomp-subscription-**', roles: NOBODY },
  { action: 'SEND', destination: '/amq/queue/stomp-subscription-**', roles: NOBODY },
  { action: 'SUBSCRIBE', destination: '/amq/queue/stomp-subscription-**', roles: NOBODY },
  { action: 'SEND', destination: '/reply-queue/stomp-subscription-**', roles: NOBODY },
  { action: 'SUBSCRIBE', destination: '/reply-queue/stomp-subscription-**', roles: NOBODY },
  { action: 'SEND', destination: '/exchange/amq.rabbitmq.**', roles: NOBODY },
  { action: 'SUBSCRIBE', destination: '/exchange/amq.rabbitmq.**', roles: NOBODY },

  { action: 'SEND', destination: '/topic/**', roles: TRUSTED },
  { action: 'SUBSCRIBE', destination: '/topic/**', roles: TRUSTED },
  { action: 'SEND', destination: '/queue/**', roles: TRUSTED },
  { action: 'SUBSCRIBE', destination: '/queue/**', roles: TRUSTED },
  { action: 'SEND', destination: '/exchange/**', roles: TRUSTED },
  { action: 'SUBSCRIBE', destination: '/exchange/**', roles: TRUSTED },
  { action: 'SEND', destination: '/amq/queue/**', roles: TRUSTED },
  { action: 'SUBSCRIBE', destination: '/amq/queue/**', roles: TRUSTED },
  { action: 'SEND', destination: '/temp-queue/**', roles: TRUSTED },
  { action: 'SUBSCRIBE', destination: '/temp-queue/**', roles: TRUSTED },
  { action: 'SEND', destination: '/reply-queue/**', roles: TRUSTED },
  { action: 'SUBSCRIBE', destination: '/reply-queue/**', roles: TRUSTED },
]

type Verdict = boolean | Fact

const MAX_REMEMBERED = 10_000
const MAX_REMEMBERED_LENGTH = 256

const remembered = new Map<string, Verdict>()
const ROWS = POLICY.map((row) => ({ row, pattern: compile(row.destination) }))

/**
 * Whether the principal may. Synchronous unless a fact has to be asked for; then it rejects when the
 * fact cannot be had.
 */
export function decide(request: PolicyRequest, facts: PolicyFacts): boolean | Promise<boolean> {
  const verdict = recall(request)
  if (typeof verdict === 'boolean') return verdict
  const { kind, name } = verdict
  const user = request.principal.name
  if (kind === 'owns-order') return facts.ownsOrder(user, name)
  return facts.isPublicRoom(name) || facts.seesRoom(user, name)
}

/** What decides over the request and may change; undefined where the table alone does. */
export function factBehind(request: PolicyRequest): Fact | undefined {
  const verdict = recall(request)
  return typeof verdict === 'boolean' ? undefined : verdict
}

/** The verdict depends on roles, action and destination alone, of which there are few. */
function recall({ principal, action, destination }: PolicyRequest): Verdict {
  if (destination.length > MAX_REMEMBERED_LENGTH) return judge(principal.roles, action, destination)
  const key = `${principal.roles.join()} ${action} ${destination}`
  let verdict = remembered.get(key)
  if (verdict === undefined) {
    verdict = judge(principal.roles, action, destination)
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(key, verdict)
  }
  return verdict
}

function judge(roles: readonly Role[], action: Action, destination: string): Verdict {
  const meant = meaning(destination)
  if (meant === undefined) return false
  // Spellings that only the broker makes sense of are for those who may talk to the broker.
  if (meant !== destination && !roles.some((role) => TRUSTED.includes(role))) return false
  for (const { row, pattern } of ROWS) {
    const match = row.action === action ? pattern.exec(meant) : null
    if (match === null) continue
    if (roles.some((role) => row.roles.includes(role))) return true
    // In another spelling it would lead to where nothing is told of it, and nobody would watch that it stays so.
    return meant === destination && roles.length > 0 && factOf(row, match)
  }
  return false
}

function factOf({ when }: PolicyRow, { groups }: RegExpExecArray): Verdict {
  const name = groups?.['order'] ?? groups?.['room']
  return when === undefined || name === undefined ? false : { kind: when, name }
}

/**
 * The destination as a broker would read it: percent-decoded, without empty parts. Undefined where
 * it is nobody's to use. What is under `/app` never reaches a broker and means what it says.
 */
function meaning(destination: string): string | undefined {
  if (destination.startsWith('/app/')) return destination
  const decoded = destination.includes('%') ? decode(destination) : destination
  if (decoded === undefined || /%[0-9a-f]{2}/i.test(decoded)) return undefined
  const parts = decoded.split('/')
  // RabbitMQ tells names apart by case; an operator who reads a list of queues may not.
  if (parts.some((part) => isReservedName(part.trim().toLowerCase()))) return undefined
  return `/${parts.filter((part) => part !== '').join('/')}`
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function compile(destination: string): RegExp {
  const source = destination
    .replaceAll('.', String.raw`\.`)
    // There an empty rest is a name of its own, and no less private.
    .replace(/(?<=[.-])\*\*$/, '.*')
    .replace(/\*\*$/, '.+')
    .replaceAll(/\{(\w+)\}/g, '(?<$1>[A-Za-z0-9_-]{1,64})')
  return new RegExp(`^${source}$`, 's')
}
