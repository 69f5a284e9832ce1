import t from 'tap'
import { useMariaDb } from '../support/mariadb.ts'
import { everyReaderHasEachEventOnce, LONG_MS } from './property.ts'

t.setTimeout(LONG_MS)

await t.test(
  'each event once and in order, whatever happens, on MariaDB',
  { timeout: LONG_MS },
  async (t) => {
    await everyReaderHasEachEventOnce(t, {
      database: 'MariaDB',
      lanes: 3,
      runs: 100,
      openDatabase: () => useMariaDb(t),
    })
  },
)
