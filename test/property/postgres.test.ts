import t from 'tap'
import { usePostgres } from '../support/postgres.ts'
import { everyReaderHasEachEventOnce, LONG_MS } from './property.ts'

t.setTimeout(LONG_MS)

await t.test(
  'each event once and in order, whatever happens, on PostgreSQL',
  { timeout: LONG_MS },
  async (t) => {
    await everyReaderHasEachEventOnce(t, {
      database: 'PostgreSQL',
      lanes: 3,
      runs: 100,
      openDatabase: () => usePostgres(t),
    })
  },
)
