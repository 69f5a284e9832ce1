// A process of its own, for the tests that kill one: serves the database, stores an event, says so, waits.
import { openStore } from '../../src/store/kysely/open-store.ts'
import { event, message } from './rows.ts'

const [, , url = '', nodeId = ''] = process.argv
try {
  const store = await openStore({ url, nodeId, lock: true })
  await store.transact(async (tx) => {
    tx.messages.insert(message(`of-${nodeId}`))
    await tx.appendEvents([event('/topic/a', JSON.stringify(nodeId))])
  })
  process.send?.({ epoch: store.epoch })
  process.on('message', () => undefined) // keeps the process
} catch (error) {
  process.send?.({ refused: String(error) })
  process.disconnect()
}
