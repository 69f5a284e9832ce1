import type { Kysely } from 'kysely'
import type { TotalsReader } from '../totals.ts'
import { guarded } from './failures.ts'
import type { Schema } from './schema.ts'

export class KyselyTotals implements TotalsReader {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  count(): ReturnType<TotalsReader['count']> {
    return guarded(async () => {
      const rows = async (table: 'rooms' | 'dead_letters'): Promise<number> => {
        const { count } = await this.#db
          .selectFrom(table)
          .select((e) => e.fn.countAll().as('count'))
          .executeTakeFirstOrThrow()
        return Number(count)
      }
      return { rooms: await rows('rooms'), deadLetters: await rows('dead_letters') }
    })
  }
}
