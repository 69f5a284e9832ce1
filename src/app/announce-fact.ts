import { FACT_CHANGED } from '../auth/fact-change.ts'
import type { Broker } from '../broker/broker.ts'
import type { Log } from '../telemetry/log.ts'

/**
 * Tells all nodes that a fact has changed on which somebody's rights rest. Where they cannot be told now, events
 * still tell them, and a node that was cut off asks again by itself. Never rejects.
 */
export async function announceFact(
  { broker, log }: { readonly broker: Pick<Broker, 'control'>; readonly log: Pick<Log, 'warn'> },
  fact: string,
): Promise<void> {
  try {
    await broker.control({ kind: FACT_CHANGED, body: fact })
  } catch (error) {
    log.warn({ event: 'fact-not-announced', fact, err: error }, 'nodes could not be told of a change')
  }
}
