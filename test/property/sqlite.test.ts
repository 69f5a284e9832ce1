import { mkdtemp, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import t from 'tap'
import { everyReaderHasEachEventOnce, LONG_MS } from './property.ts'

// In memory where the system has a place for that: what is asked here is not whether a disk keeps what
// was synced, and a sync for each of many thousand commits takes longer than all the rest.
const MEMORY = '/dev/shm'

t.setTimeout(LONG_MS)

await t.test('each event once and in order, whatever happens, on SQLite', { timeout: LONG_MS }, async (t) => {
  await everyReaderHasEachEventOnce(t, {
    database: 'SQLite',
    lanes: 5,
    runs: 200,
    openDatabase: async () => {
      const folder = await mkdtemp(`${existsSync(MEMORY) ? MEMORY : tmpdir()}/stomp-relay-test-`)
      t.teardown(() => rm(folder, { recursive: true }))
      return `sqlite:${folder}/relay.db`
    },
  })
})
