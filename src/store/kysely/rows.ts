import type { HeaderList } from '../../../protocol/frame.ts'
import { MessageError } from '../../errors.ts'
import type {
  AccountRow,
  BroadcastRow,
  Conversation,
  MessageRow,
  NewOwner,
  PresenceChange,
  RequestRow,
  SessionRow,
} from '../store.ts'
import { KEY_LENGTHS } from './schema.ts'
import type {
  AccountTable,
  BroadcastTable,
  MessageTable,
  OwnerTable,
  PresenceTable,
  RequestTable,
  SessionTable,
} from './schema.ts'

const UNSTORABLE = /\0|\p{Surrogate}/u

const MAX_LENGTHS: ReadonlyMap<string, number> = new Map(Object.entries(KEY_LENGTHS))

/** @throws MessageError `invalid-payload` where a text is not the same in every database */
export function checked<T extends object>(table: T): T {
  for (const [column, value] of Object.entries(table)) {
    if (typeof value === 'string') checkedKey(column, value)
  }
  return table
}

/** @throws MessageError `invalid-payload` where a text is not the same in every database */
export function checkedKey(column: string, value: string): void {
  storable(value)
  if (value.length > (MAX_LENGTHS.get(column) ?? Infinity)) {
    throw new MessageError('invalid-payload', 'a name is too long')
  }
}

/**
 * SQLite reads a text only up to U+0000, PostgreSQL refuses it, and nobody agrees on lone surrogates.
 *
 * @throws MessageError `invalid-payload` where a text is not the same in every database
 */
export function storable(text: string): string {
  if (!UNSTORABLE.test(text)) return text
  throw new MessageError('invalid-payload', 'a text holds U+0000 or half of a surrogate pair')
}

export function conversationKey(conversation: Conversation): string {
  if (conversation.kind === 'public') return 'public'
  if (conversation.kind === 'room') return `room:${conversation.room}`
  return `private:${conversation.users.toSorted().join(':')}`
}

export function toAccount(row: AccountTable): AccountRow {
  const roles = parseTexts(row.roles)
  return { name: row.name, passwordHash: row.password_hash, roles, createdAt: row.created_at }
}

export function fromAccount(row: AccountRow): AccountTable {
  return checked({
    name: row.name,
    password_hash: row.passwordHash,
    roles: toJson(row.roles),
    created_at: row.createdAt,
  })
}

export function toMessage(row: MessageTable): MessageRow {
  const { id, room, sender, receiver, content, status } = row
  return {
    id,
    room,
    sender,
    receiver,
    content,
    clientId: row.client_id,
    replyTo: row.reply_to,
    status,
    createdAt: row.created_at,
  }
}

export function fromMessage(row: MessageRow): MessageTable {
  const { id, room, sender, receiver, content, status } = row
  return checked({
    id,
    conversation: conversationKey(conversationOf(row)),
    room,
    sender,
    receiver,
    content,
    client_id: row.clientId,
    reply_to: row.replyTo,
    status,
    created_at: row.createdAt,
  })
}

function conversationOf(row: MessageRow): Conversation {
  if (row.receiver !== null) return { kind: 'private', users: [row.sender, row.receiver] }
  return row.room === null ? { kind: 'public' } : { kind: 'room', room: row.room }
}

export function toBroadcast(row: BroadcastTable): BroadcastRow {
  const { id, title, message, type } = row
  return { id, title, message, type, createdAt: row.created_at }
}

export function fromBroadcast(row: BroadcastRow): BroadcastTable {
  const { id, title, message, type } = row
  return checked({ id, title, message, type, created_at: row.createdAt })
}

export function fromRequest(row: RequestRow): RequestTable {
  return checked({ key: row.key, answer: toJson(row.answer), expires_at: row.expiresAt })
}

export function fromOwner({
  owner,
  nodeId,
  report,
}: NewOwner): Pick<OwnerTable, 'owner' | 'node' | 'report'> {
  return checked({ owner, node: nodeId, report: toJson(report) })
}

/** An object, as `toJson` wrote it. */
export function parseReport(text: string): Readonly<Record<string, unknown>> {
  return { ...Object(parseJson(text)) }
}

export function fromSession(row: Omit<SessionRow, 'nodeId'>, owner: string): SessionTable {
  const { id, user, transport, address } = row
  return checked({
    id,
    owner,
    user_id: user,
    roles: toJson(row.roles),
    transport,
    stomp_version: row.version,
    address,
    connected_at: row.connectedAt,
  })
}

export function toSession(row: SessionTable & { readonly node: string }): SessionRow {
  const { id, transport, address } = row
  return {
    id,
    nodeId: row.node,
    user: row.user_id,
    roles: parseTexts(row.roles),
    transport,
    version: row.stomp_version,
    address,
    connectedAt: row.connected_at,
  }
}

export function fromPresence(row: PresenceChange['entered'][number], owner: string): PresenceTable {
  return checked({ user_id: row.user, place: placeOf(row.room), owner, since: row.since })
}

/** Where somebody is; being connected at all is a place too. */
export function placeOf(room: string | null): string {
  return room ?? ''
}

export function roomOf(place: string): string | null {
  return place === '' ? null : place
}

/** @throws MessageError `invalid-payload` for what JSON cannot say */
export function toJson(value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    throw new MessageError('invalid-payload', 'the value is not JSON', { cause })
  }
  if (text === undefined) throw new MessageError('invalid-payload', 'the value is not JSON')
  return text
}

export function parseJson(text: string): unknown {
  return JSON.parse(text)
}

/** A list of texts, as `toJson` wrote it. */
export function parseTexts(text: string): HeaderList {
  const value = parseJson(text)
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw new TypeError('a stored list of texts is something else')
}
