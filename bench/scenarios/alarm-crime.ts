import { setTimeout as delay } from 'node:timers/promises'
import type { RunningContestant } from '../contestants/contestant.ts'
import type { CrimeRecord } from '../crimes/scene.ts'
import type { LoadGroup } from '../load/load-group.ts'

const MEMORY_OF_RABBITMQ = '0.4'
const TOO_LITTLE = '0.0001'
const POLL_MS = 20
const PATIENCE_MS = 30_000

/**
 * RabbitMQ runs out of memory, and gets it back. Nobody's publishing goes on meanwhile, so that latency
 * can be measured only after it; what is told of it is that nobody was closed, that all that was sent
 * meanwhile was confirmed, and how soon.
 *
 * @throws Error where the well-behaved do not recover
 */
export async function commitAlarm(
  ctl: NonNullable<RunningContestant['ctl']>,
  group: LoadGroup,
  alarmMs: number,
): Promise<CrimeRecord> {
  const { unfinished } = await group.mark()
  await ctl('set_vm_memory_high_watermark', TOO_LITTLE)
  await delay(alarmMs)
  const atEnd = await group.mark()
  await ctl('set_vm_memory_high_watermark', MEMORY_OF_RABBITMQ)
  const liftedAt = performance.now()
  // What comes while publishing goes on is never all finished: as much as before the alarm is.
  while ((await group.mark()).unfinished > Math.max(unfinished, 1)) {
    if (performance.now() - liftedAt > PATIENCE_MS) throw new Error('publishers do not recover from an alarm')
    await delay(POLL_MS)
  }
  return {
    'ms of alarm': alarmMs,
    'SENDs that waited': atEnd.unfinished,
    'ms until all were confirmed': Math.round(performance.now() - liftedAt),
  }
}
