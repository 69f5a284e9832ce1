import type { Kysely } from 'kysely'
import type { PeoplePage, PeopleRepository } from '../people.ts'
import { guarded } from './failures.ts'
import type { Idiom } from './idiom.ts'
import { checked } from './rows.ts'
import type { PersonTable, Schema } from './schema.ts'
import type { StoreConnections } from './store-connections.ts'

/** Sorts behind every character that a name may hold. */
const BEHIND = '~'

export class KyselyPeople implements PeopleRepository {
  readonly #connections: Pick<StoreConnections, 'idiom' | 'aside' | 'reader'>

  constructor(connections: Pick<StoreConnections, 'idiom' | 'aside' | 'reader'>) {
    this.#connections = connections
  }

  remember(names: readonly string[]): Promise<void> {
    const { idiom, aside } = this.#connections
    return guarded(async () => {
      if (names.length === 0) return
      const known = await aside.selectFrom('people').select('user_id').where('user_id', 'in', names).execute()
      const missing = new Set(names)
      for (const row of known) missing.delete(row.user_id)
      for (const name of missing) await rememberPerson(idiom, aside, name)
    })
  }

  list(prefix: string, { limit, after }: PeoplePage): Promise<readonly string[]> {
    const from = fold(prefix)
    const last = after ?? ''
    return guarded(async () => {
      const rows = await this.#connections.reader
        .selectFrom('people')
        .select('user_id')
        .where('folded', '>=', from)
        .where('folded', '<', `${from}${BEHIND}`)
        .$if(after !== undefined, (query) =>
          query.where((each) =>
            each.or([
              each('folded', '>', fold(last)),
              each.and([each('folded', '=', fold(last)), each('user_id', '>', last)]),
            ]),
          ),
        )
        .orderBy('folded')
        .orderBy('user_id')
        .limit(limit)
        .execute()
      return rows.map((row) => row.user_id)
    })
  }
}

export async function rememberPerson(idiom: Idiom, db: Kysely<Schema>, name: string): Promise<void> {
  const row: PersonTable = checked({ user_id: name, folded: fold(name) })
  await idiom.insertMissing(db, 'people', row)
}

/** Names are ASCII. */
function fold(text: string): string {
  return text.toLowerCase()
}
