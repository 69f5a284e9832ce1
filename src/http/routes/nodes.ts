import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { NODE_INFO, type NodeInfo } from '../../../protocol/payload/session.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { NodeStatusRow } from '../../store/store.ts'
import { readNodeReport, type NodeReport } from '../../user/node-report.ts'
import type { PresenceReader } from '../../user/presence-reader.ts'
import { API, registerEndpoint } from '../endpoint.ts'

const UNKNOWN = 'unknown'

/** GET `/api/v1/nodes`: those that live, for administrators. There are never so many that they need pages. */
export function registerNodes(
  server: FastifyInstance,
  parts: {
    readonly authenticator: Pick<Authenticator, 'authenticate'>
    readonly presence: Pick<PresenceReader, 'nodes'>
  },
): void {
  registerEndpoint(server, parts.authenticator, {
    method: 'GET',
    path: `${API}/nodes`,
    tag: 'administration',
    summary: 'The nodes that live',
    roles: ['admin'],
    answers: {
      200: {
        description: 'All of them, by id',
        schema: Type.Object({ items: Type.Array(NODE_INFO, { description: 'By id' }) }),
      },
    },
    handle: async () => ({ items: (await parts.presence.nodes()).map(nodeInfo) }),
  })
}

/** What a node says of itself, as the API shows it. */
export function nodeInfo({ nodeId, report, sessions, renewedAt }: NodeStatusRow): NodeInfo {
  const { version, startedAt, broker, load } = readNodeReport(report) ?? unknownReport(renewedAt)
  return {
    id: nodeId,
    version,
    startedAt,
    heartBeatAt: renewedAt,
    sessions,
    broker: { isUp: broker.isUp, detail: broker.detail },
    ...(load !== undefined && { load }),
  }
}

function unknownReport(renewedAt: string): NodeReport {
  return { version: UNKNOWN, startedAt: renewedAt, broker: { isUp: false, detail: UNKNOWN } }
}
