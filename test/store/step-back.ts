const INITIAL: ReadonlySet<string> = new Set([
  'accounts',
  'settings',
  'messages',
  'broadcasts',
  'notifications',
  'orders',
  'order_changes',
  'dead_letters',
  'streams',
  'events',
  'outbox',
  'nodes',
  'requests',
  'kysely_migration',
  'kysely_migration_lock',
])

/** Tables of later migrations, in the order in which they are made. */
export const LATER: readonly string[] = [
  'owners',
  'sessions',
  'presences',
  'presence_locks',
  'logins',
  'audit',
  'notification_preferences',
  'deliveries',
  'conversations',
  'rooms',
  'room_members',
  'room_reads',
  'message_edits',
  'operations',
  'operation_results',
  'operation_users',
  'people',
]

/** Those of a database that the first migration did not make, by name. */
export function laterOf(tables: readonly string[]): readonly string[] {
  return tables.filter((name) => !INITIAL.has(name)).toSorted()
}

/** SQL that makes a database what it was after the first migration. @param tables all that it has */
export function stepBack(tables: readonly string[]): readonly string[] {
  return [
    ...laterOf(tables).map((name) => `drop table ${name}`),
    "delete from kysely_migration where name <> '2026-01-initial'",
  ]
}
