import type { FastifyInstance } from 'fastify'
import { OVERVIEW, type Overview } from '../../../protocol/payload/overview.ts'
import { DEAD_LETTER_QUEUE, ORDER_QUEUE } from '../../app/orders/order-intake.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { Broker } from '../../broker/broker.ts'
import { SharedAnswer } from '../../lib/shared-answer.ts'
import type { Store } from '../../store/store.ts'
import type { PresenceReader } from '../../user/presence-reader.ts'
import { API, registerEndpoint } from '../endpoint.ts'
import { nodeInfo } from './nodes.ts'

export interface OverviewParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly presence: Pick<PresenceReader, 'nodes' | 'countPresent'>
  readonly store: Pick<Store, 'totals' | 'operations' | 'outbox'>
  readonly broker: Pick<Broker, 'queueDepth'>
}

/** GET `/api/v1/admin/overview`. However many administrators look, it is counted once a second. */
export function registerOverview(server: FastifyInstance, parts: OverviewParts): void {
  const shared = new SharedAnswer(() => overview(parts), { burst: 1, perSecond: 1 })
  registerEndpoint(server, parts.authenticator, {
    method: 'GET',
    path: `${API}/admin/overview`,
    tag: 'administration',
    summary: 'The whole at a glance',
    roles: ['admin'],
    answers: { 200: { description: 'Over all nodes', schema: OVERVIEW } },
    handle: () => shared.ask(),
  })
}

async function overview({ presence, store, broker }: OverviewParts): Promise<Overview> {
  const at = new Date().toISOString()
  const [rows, users, totals, operations, ageMs, queues] = await Promise.all([
    presence.nodes(),
    presence.countPresent(null),
    store.totals.count(),
    store.operations.countByState(),
    store.outbox.ageMs(Date.now()),
    depths(broker),
  ])
  const nodes = rows.map(nodeInfo)
  const sum = (of: (node: (typeof nodes)[number]) => number): number =>
    Math.round(nodes.reduce((total, node) => total + of(node), 0) * 10) / 10
  return {
    at,
    users,
    sessions: sum(({ sessions }) => sessions),
    ...totals,
    rates: {
      framesIn: sum(({ load }) => load?.framesIn ?? 0),
      framesOut: sum(({ load }) => load?.framesOut ?? 0),
    },
    outboxAgeMs: Math.max(0, Math.round(ageMs)),
    queues,
    operations: Object.fromEntries(operations),
    nodes,
  }
}

/** A broker that does not answer is no reason to show nothing. */
async function depths(broker: Pick<Broker, 'queueDepth'>): Promise<Overview['queues']> {
  const names = [ORDER_QUEUE, DEAD_LETTER_QUEUE]
  const found = await Promise.all(names.map((name) => broker.queueDepth(name).catch(() => null)))
  return names.flatMap((name, i) => {
    const depth = found[i]
    return depth === null || depth === undefined ? [] : [{ name, ...depth }]
  })
}
