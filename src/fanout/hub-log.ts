import type { Log } from '../telemetry/log.ts'
import type { HubObserver } from './hub-options.ts'

/** Writes to the log what the hub has to say. */
export function hubLog(log: Log): HubObserver {
  return {
    hole: (reason) => log.warn({ event: 'hole', reason }, 'messages may have been missed'),
    subscriberFailed: (error) => log.error({ event: 'subscriber-failed', err: error }, 'a subscriber threw'),
    storeFailed: (error) => log.warn({ event: 'streams-unreadable', err: error }, 'streams cannot be read'),
  }
}
