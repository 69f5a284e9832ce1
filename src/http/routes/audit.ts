import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { AUDIT_ENTRY, AUDIT_KIND, type AuditEntry, type AuditKind } from '../../../protocol/payload/audit.ts'
import { USER_NAME } from '../../../protocol/payload/fields.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { AuditRow, Store } from '../../store/store.ts'
import { API, registerEndpoint } from '../endpoint.ts'
import { listPage, PAGE_QUERY, pageLimit, pageOf } from '../page.ts'

export interface AuditRouteParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly store: { readonly audit: Pick<Store['audit'], 'list'> }
}

const QUERY = Type.Object({
  ...PAGE_QUERY,
  kind: Type.Optional(AUDIT_KIND),
  user: Type.Optional({ ...USER_NAME, description: 'What this user did, or was tried for them' }),
})

/** GET `/api/v1/admin/audit?kind=&user=`, newest first, for administrators. */
export function registerAudit(server: FastifyInstance, { authenticator, store }: AuditRouteParts): void {
  registerEndpoint(server, authenticator, {
    method: 'GET',
    path: `${API}/admin/audit`,
    tag: 'administration',
    summary: 'Who got in, who was refused what, and what administrators did, at all nodes, newest first',
    roles: ['admin'],
    query: QUERY,
    answers: { 200: { description: 'A page of entries', schema: pageOf(AUDIT_ENTRY) } },
    handle: async ({ query: { kind, user, cursor, ...size } }) => {
      const { shown, asked } = pageLimit(size)
      const rows = await store.audit.list(
        { ...(kind !== undefined && { kind }), ...(user !== undefined && { user }) },
        { limit: asked, ...(cursor !== undefined && { before: cursor }) },
      )
      return listPage(rows, shown, { itemOf: entryOf, cursorOf: ({ id }) => id })
    },
  })
}

function entryOf({ id, at, kind, node, user, address, about, omitted }: AuditRow): AuditEntry {
  return {
    id,
    at,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- rows of newer nodes may bear kinds of theirs
    kind: kind as AuditKind,
    node,
    ...(user !== '' && { user }),
    ...(address !== '' && { address }),
    ...(about !== '' && { about }),
    ...(omitted > 0 && { omitted }),
  }
}
