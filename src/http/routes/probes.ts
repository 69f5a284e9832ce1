import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { schemaOf } from '../description/described.ts'
import { SharedAnswer } from '../../lib/shared-answer.ts'
import type { Broker } from '../../broker/broker.ts'
import type { Store } from '../../store/store.ts'
import type { OutboxAge } from '../../stream/outbox-age.ts'
import type { Metrics } from '../../telemetry/metrics.ts'

const STATUS = Type.Object({ status: Type.String({ examples: ['ok'] }) }, { description: 'It is alive' })

const BROKER = Type.Object({
  isUp: Type.Boolean({ examples: [true] }),
  detail: Type.String({ examples: ['connected to localhost:61613 and localhost:5672'] }),
  alarm: Type.Optional(Type.String({ examples: ['low on memory'] })),
})

const READINESS = Type.Object(
  {
    status: Type.Union([Type.Literal('ready'), Type.Literal('not-ready')], { examples: ['ready'] }),
    broker: BROKER,
    database: Type.Object({
      isUp: Type.Boolean({ examples: [true] }),
      detail: Type.String({ examples: ['answers'] }),
      outboxAgeMs: Type.Optional(Type.Number({ examples: [0] })),
    }),
    isDraining: Type.Boolean({ examples: [false] }),
  },
  { description: 'Whether clients should be sent here' },
)

const SCHEMAS = {
  healthz: schemaOf({
    tag: 'operators',
    summary: 'Whether the process is alive',
    roles: 'anybody',
    answers: { 200: { description: 'It is', schema: STATUS } },
  }),
  readyz: schemaOf({
    tag: 'operators',
    summary: 'Whether clients should be sent here',
    roles: 'anybody',
    answers: {
      200: { description: 'They should', schema: READINESS },
      503: { description: 'They should not, and why', schema: READINESS },
    },
  }),
  metrics: schemaOf({
    tag: 'operators',
    summary: 'What the node counts',
    roles: 'anybody',
    answers: {
      200: {
        description: "Prometheus' text format",
        schema: Type.String({ examples: ['stomp_relay_sessions 2'] }),
        contentType: 'text/plain',
      },
    },
  }),
}

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
export function registerProbes(server: FastifyInstance, parts: Readiness & { metrics: Metrics }): void {
  const database = new SharedAnswer(() => answers(parts))
  const metrics = new SharedAnswer(() => parts.metrics.text())
  server.get('/healthz', { schema: SCHEMAS.healthz }, async () => ({ status: 'ok' }))
  server.get('/readyz', { schema: SCHEMAS.readyz }, async (_request, reply) => {
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
  server.get('/metrics', { schema: SCHEMAS.metrics }, async (_request, reply) =>
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
