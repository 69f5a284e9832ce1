import type { FastifyInstance } from 'fastify'
import type { Broker } from '../../broker/broker.ts'
import type { Store } from '../../store/store.ts'
import type { Metrics } from '../../telemetry/metrics.ts'

export interface Readiness {
  readonly broker: Pick<Broker, 'status'>
  readonly store: Pick<Store, 'ping'>
  readonly isDraining: () => boolean
}

/** For whoever operates the node: `/healthz` (alive), `/readyz` (send clients here), `/metrics` (Prometheus). */
export function registerOperations(server: FastifyInstance, parts: Readiness & { metrics: Metrics }): void {
  server.get('/healthz', async () => ({ status: 'ok' }))
  server.get('/readyz', async (_request, reply) => {
    const broker = parts.broker.status()
    const database = await answers(parts.store)
    const isDraining = parts.isDraining()
    const isReady = broker.isUp && database.isUp && !isDraining
    return reply
      .code(isReady ? 200 : 503)
      .send({ status: isReady ? 'ready' : 'not-ready', broker, database, isDraining })
  })
  server.get('/metrics', async (_request, reply) =>
    reply.type(parts.metrics.registry.contentType).send(await parts.metrics.registry.metrics()),
  )
}

async function answers(store: Pick<Store, 'ping'>): Promise<{ isUp: boolean; detail: string }> {
  try {
    await store.ping()
    return { isUp: true, detail: 'answers' }
  } catch {
    return { isUp: false, detail: 'does not answer' }
  }
}
