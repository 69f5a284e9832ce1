import type { Delivery } from '../broker/broker.ts'
import type { OutboxRow, Store } from '../store/store.ts'
import { eventIdOf } from './event-id-of.ts'
import type { Outbox } from './outbox.ts'
import { rowAddress } from './row-address.ts'

/** A stored event as subscribers get it. */
export type StoredDelivery = Delivery & { readonly eventId: string }

/** What the broker will bring of a row; undefined of what goes to a queue, which nodes do not get. */
function storedDelivery(storeEpoch: string, row: OutboxRow): StoredDelivery | undefined {
  const address = rowAddress(row)
  if (address.kind === 'queue') return undefined
  const { headers, body } = row
  return { address, headers, body: Buffer.from(body), eventId: eventIdOf(storeEpoch, row) }
}

/** Where the events of a node go once they are stored. */
type Relay = Pick<Outbox, 'push' | 'recheck'>

/**
 * Tells of each event of a stream first, and relays it when its turn is over: what goes to the broker need
 * not delay what the subscribers of this node are sent.
 */
export function tellFirst(
  outbox: Relay,
  store: Pick<Store, 'epoch'>,
  onStored: (event: StoredDelivery) => void,
): Relay {
  const tell = (row: OutboxRow): void => {
    try {
      const delivery = storedDelivery(store.epoch, row)
      if (delivery !== undefined) onStored(delivery)
    } catch {
      // It is stored all the same; the outbox says what is wrong with a row.
    }
  }
  return {
    push(rows) {
      rows.forEach(tell)
      setImmediate(() => outbox.push(rows))
    },
    recheck: () => outbox.recheck(),
  }
}
