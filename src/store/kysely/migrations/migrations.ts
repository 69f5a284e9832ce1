import type { Migration } from 'kysely'
import type { ColumnTypes } from '../idiom.ts'
import { initial } from './2026-01-initial.ts'
import { logins } from './2026-12-logins.ts'
import { audit } from './2027-01-audit.ts'
import { notifications } from './2027-02-notifications.ts'
import { orders } from './2027-03-orders.ts'
import { conversations } from './2027-04-conversations.ts'
import { rooms } from './2027-04-rooms.ts'
import { operations } from './2027-05-operations.ts'
import { people } from './2027-06-people.ts'
import { presence } from './2026-11-presence.ts'

/** Every migration, oldest first by name. A migration that was released is never changed. */
export function migrations(columns: ColumnTypes): Record<string, Migration> {
  return {
    '2026-01-initial': initial(columns),
    '2026-11-presence': presence(columns),
    '2026-12-logins': logins(columns),
    '2027-01-audit': audit(columns),
    '2027-02-notifications': notifications(columns),
    '2027-03-orders': orders(columns),
    '2027-04-conversations': conversations(columns),
    '2027-04-rooms': rooms(columns),
    '2027-05-operations': operations(columns),
    '2027-06-people': people(columns),
  }
}
