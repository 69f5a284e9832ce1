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

/** SQL that makes a database what it was after the first migration. @param tables all that it has */
export function stepBack(tables: readonly string[]): readonly string[] {
  const later = tables.filter((name) => !INITIAL.has(name))
  return [
    ...later.map((name) => `drop table ${name}`),
    "delete from kysely_migration where name <> '2026-01-initial'",
  ]
}
