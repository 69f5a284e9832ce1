import type { Address } from '../broker/broker.ts'
import { MessageError } from '../errors.ts'
import type { OutboxRow } from '../store/store.ts'

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  topic: ['topic'],
  private: ['topic'],
  user: ['user', 'destination'],
  queue: ['queue'],
}

/**
 * Where a row is to be relayed.
 *
 * @throws MessageError `internal` where what is stored is no address
 */
export function rowAddress({ address }: OutboxRow): Address {
  if (!isAddress(address)) throw new MessageError('internal', 'an outbox row has no address')
  return address
}

function isAddress(value: unknown): value is Address {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false
  const needed = typeof value.kind === 'string' ? FIELDS[value.kind] : undefined
  const fields = new Map(Object.entries(value))
  return needed !== undefined && needed.every((name) => typeof fields.get(name) === 'string')
}
