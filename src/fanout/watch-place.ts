import { isRoomTopic } from '../../protocol/destination.ts'
import type { Broker, Watch, WatchTarget } from '../broker/broker.ts'

/** What else brings messages of a topic: those of private rooms travel where no wildcard comes. */
export function privateTwin(target: WatchTarget): string | undefined {
  return target.kind === 'topic' && isRoomTopic(target.pattern) ? target.pattern : undefined
}

/** Watches a target, and its twin where it has one. Rejects, and watches nothing, where either is refused. */
export async function watchPlace(broker: Pick<Broker, 'watch'>, target: WatchTarget): Promise<Watch> {
  const topic = privateTwin(target)
  if (topic === undefined) return broker.watch(target)
  const asked = await Promise.allSettled([broker.watch(target), broker.watch({ kind: 'private', topic })])
  const watches = asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const close = (): void => {
    for (const watch of watches) watch.close()
  }
  const refused = asked.find((each) => each.status === 'rejected')
  if (refused === undefined) return { close }
  close()
  throw refused.reason
}
