import type { FastifyInstance } from 'fastify'
import { SharedAnswer } from '../../lib/shared-answer.ts'
import type { Broker } from '../../broker/broker.ts'
import type { Store } from '../../store/store.ts'
import type { OutboxAge } from '../../stream/outbox-age.ts'
import type { Metrics } from '../../telemetry/metrics.ts'

export interface Readiness {
  readonly broker: Pick<Broker, 'status'>
  readonly store: Pick<Store, 'ping'>
  readonly outboxAge: Pick<OutboxAge, 'ms'>
  readonly isDraining: () => boolean
}

/**
 * For whoever operates the node: `/healthz` (alive), `/readyz` (send clients here), `/metrics` (Prometheus). Limits
 * of callers do not hold for them: so many who ask share what the database says, and the text of the metrics.
 */
export function registerOperations(server: FastifyInstance, parts: Readiness & { metrics: Metrics }): void {
  const database = new SharedAnswer(() => answers(parts))
  const metrics = new SharedAnswer(() => parts.metrics.text())
  server.get('/healthz', async () => ({ status: 'ok' }))
  server.get('/readyz', async (_request, reply) => {
    const broker = parts.broker.status()
    const known = await database.ask()
    const isDraining = parts.isDraining()
    // An alarm comes to all nodes at once: to turn clients away from all of them would end what still goes on.
    const isReachable = broker.isUp || broker.alarm !== undefined
    const isReady = isReachable && known.isUp && !isDraining
    return reply
      .code(isReady ? 200 : 503)
      .send({ status: isReady ? 'ready' : 'not-ready', broker, database: known, isDraining })
  })
  server.get('/metrics', async (_request, reply) =>
    reply.type(parts.metrics.registry.contentType).send(await metrics.ask()),
  )
}

interface DatabaseState {
  readonly isUp: boolean
  readonly detail: string
  /** How long the oldest stored event has waited for the broker, over all nodes. */
  readonly outboxAgeMs?: number
}

async function answers({ store, outboxAge }: Pick<Readiness, 'store' | 'outboxAge'>): Promise<DatabaseState> {
  try {
    await store.ping()
  } catch {
    return { isUp: false, detail: 'does not answer' }
  }
  const outboxAgeMs = await outboxAge.ms()
  return { isUp: true, detail: 'answers', ...(Number.isFinite(outboxAgeMs) && { outboxAgeMs }) }
}
