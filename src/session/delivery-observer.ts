import type { FanoutMessage } from '../fanout/fanout-message.ts'
import type { EncodedBatch, SessionTransport } from './transport.ts'

/** The queue whose messages somebody wants to hear delivered. */
export const PRIVATE_QUEUE = '/user/queue/messages'

/** Hears of what sessions of this node were handed of their users' private messages. Must not throw. */
export interface DeliveryObserver {
  handed(user: string, messages: readonly FanoutMessage[]): void
}

/** What a subscription delivers by. */
export type Outlet = Pick<SessionTransport, 'deliver' | 'room'>

/** Tells the observer of what was handed to the transport, unless that ended the session. */
export function observedOutlet(
  outlet: Outlet,
  { user, observer, isOver }: { user: string; observer: DeliveryObserver; isOver: () => boolean },
): Outlet {
  return {
    deliver: (batch: EncodedBatch) => {
      outlet.deliver(batch)
      if (!isOver()) observer.handed(user, batch.messages)
    },
    room: () => outlet.room(),
  }
}
