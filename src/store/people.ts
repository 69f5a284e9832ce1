/** Names that somebody was seen by, or has an account by. Part of the store port (`store.ts`). */

export interface PeoplePage {
  readonly limit: number
  /** Only names that come after this one. */
  readonly after?: string
}

export interface PeopleRepository {
  /** At most 500. Idempotent. An account that is created is remembered by itself. */
  remember(names: readonly string[]): Promise<void>
  /** Names that begin so, whatever the case of `A-Z`; in an order of which case is the last word. */
  list(prefix: string, page: PeoplePage): Promise<readonly string[]>
}
