import type { RoomSight } from '../../auth/room-sight.ts'
import type { Broker } from '../../broker/broker.ts'
import type { Store } from '../../store/store.ts'
import type { StreamAppender } from '../../stream/append.ts'
import type { Log } from '../../telemetry/log.ts'

/** What rooms are made with. */
export interface RoomParts {
  readonly store: Pick<Store, 'rooms' | 'log' | 'epoch'>
  readonly appender: StreamAppender
  readonly broker: Pick<Broker, 'publish' | 'control'>
  readonly sight: RoomSight
  readonly log: Pick<Log, 'warn'>
}
