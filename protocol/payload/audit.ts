import { Type, type Static } from 'typebox'
import { STORED_ID, USER_NAME } from './fields.ts'

export const AUDIT_KIND = Type.Enum(
  [
    'registered',
    'login',
    'login-failed',
    'logout',
    'token-reused',
    'connect-refused',
    'refused',
    'request-refused',
    'admin-action',
    'connected',
    'locked-out',
    'feed-read',
    'command',
  ],
  { description: 'What happened', examples: ['login-failed'] },
)

export type AuditKind = Static<typeof AUDIT_KIND>

/** One of GET `/api/v1/admin/audit`. */
export const AUDIT_ENTRY = Type.Object(
  {
    id: STORED_ID,
    at: Type.String({
      format: 'date-time',
      description: 'RFC 3339, UTC, by the clock of its node',
      examples: ['2026-09-01T08:30:00.000Z'],
    }),
    kind: AUDIT_KIND,
    node: Type.String({ description: 'Where it happened', examples: ['relay-1'] }),
    user: Type.Optional({
      ...USER_NAME,
      description:
        'Who did it; of a login that failed, whom it was tried for, where there is such an account',
    }),
    address: Type.Optional(
      Type.String({ description: 'Of the client, or the proxy before it', examples: ['192.0.2.7'] }),
    ),
    about: Type.Optional(
      Type.String({
        description: 'What it was done to; characters that cannot be shown are replaced',
        examples: ['SUBSCRIBE /topic/orders.1001'],
      }),
    ),
    omitted: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'How many of this kind were left out on that node since the entry before',
        examples: [4127],
      }),
    ),
  },
  { description: 'Who got in, who did not, who was refused what, and what administrators did' },
)

export type AuditEntry = Static<typeof AUDIT_ENTRY>
