import type { Migration } from 'kysely'
import { initial } from './2026-01-initial.ts'

/** Every migration, oldest first by name. A migration that was released is never changed. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '2026-01-initial': initial,
}
