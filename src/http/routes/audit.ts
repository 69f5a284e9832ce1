import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { AUDIT_KIND, type AuditEntry, type AuditKind } from '../../../protocol/payload/audit.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { AuditRow, Store } from '../../store/store.ts'
import { requireRole } from '../caller.ts'
import { listPage, PAGE_QUERY, pageLimit } from '../page.ts'
import { parseQuery } from '../query.ts'

export interface AuditRouteParts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly store: { readonly audit: Pick<Store['audit'], 'list'> }
}

const validator = Compile(
  Type.Object({
    ...PAGE_QUERY,
    kind: Type.Optional(AUDIT_KIND),
    user: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  }),
)

/** GET `/api/v1/admin/audit?kind=&user=`, newest first, for administrators. */
export function registerAudit(server: FastifyInstance, { authenticator, store }: AuditRouteParts): void {
  server.get('/api/v1/admin/audit', async (request, reply) => {
    await requireRole(authenticator, { request, reply }, ['admin'])
    const { kind, user, cursor, ...query } = parseQuery(validator, request.query)
    const { shown, asked } = pageLimit(query)
    const rows = await store.audit.list(
      { ...(kind !== undefined && { kind }), ...(user !== undefined && { user }) },
      { limit: asked, ...(cursor !== undefined && { before: cursor }) },
    )
    return listPage(rows, shown, { itemOf: entryOf, cursorOf: ({ id }) => id })
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
