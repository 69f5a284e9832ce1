import { Type, type Static } from 'typebox'
import { USER_NAME } from './fields.ts'

const NODE_ID = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'Name of the node, its `NODE_ID`',
  examples: ['relay-1'],
})

/** One of GET `/api/v1/sessions`. */
export const SESSION_INFO = Type.Object(
  {
    id: Type.String({
      minLength: 1,
      description: 'As in the header `session` of CONNECTED',
      examples: ['6f1c7e1a-6f0e-4c53-9d5c-1d2f3a4b5c6d'],
    }),
    user: { ...USER_NAME, description: 'Whose it is' },
    roles: Type.Array(Type.String(), { description: 'What they may do', examples: [['user']] }),
    node: { ...NODE_ID, description: 'Where it is' },
    transport: Type.Enum(['stomp', 'sse', 'poll'], { description: 'How it came', examples: ['stomp'] }),
    version: Type.Optional(Type.String({ description: 'Of STOMP', examples: ['1.2'] })),
    address: Type.String({ description: 'Of the client, or the proxy before it', examples: ['192.0.2.7'] }),
    connectedAt: Type.String({
      format: 'date-time',
      description: 'RFC 3339, UTC, by the clock of its node',
      examples: ['2026-09-01T08:30:00.000Z'],
    }),
  },
  { description: 'A session, on whichever node' },
)

export type SessionInfo = Static<typeof SESSION_INFO>

const LOAD = Type.Object(
  {
    cpu: Type.Number({ minimum: 0, description: "Cores' worth of processor time", examples: [0.31] }),
    busy: Type.Number({
      minimum: 0,
      maximum: 1,
      description: 'The share of time in which its event loop had something to do',
      examples: [0.27],
    }),
    heapBytes: Type.Number({ minimum: 0, description: 'JavaScript objects', examples: [48_000_000] }),
    framesIn: Type.Number({ minimum: 0, description: 'STOMP frames received a second', examples: [120] }),
    framesOut: Type.Number({ minimum: 0, description: 'STOMP frames sent a second', examples: [9400] }),
  },
  {
    description: 'What it did between its last two heart-beats; missing for nodes of older versions',
    examples: [{ cpu: 0.31, busy: 0.27, heapBytes: 48_000_000, framesIn: 120, framesOut: 9400 }],
  },
)

/** One of GET `/api/v1/nodes`. */
export const NODE_INFO = Type.Object(
  {
    id: NODE_ID,
    version: Type.String({ description: 'Of the relay', examples: ['0.1.0'] }),
    startedAt: Type.String({
      format: 'date-time',
      description: 'RFC 3339, UTC, by the clock of the node',
      examples: ['2026-09-01T06:00:00.000Z'],
    }),
    heartBeatAt: Type.String({
      format: 'date-time',
      description:
        'When the database heard of it last, by its own clock: every 2.5 s, and it is gone after 10 s',
      examples: ['2026-09-01T08:30:00.000Z'],
    }),
    sessions: Type.Integer({ minimum: 0, description: 'How many it has', examples: [412] }),
    broker: Type.Object(
      {
        isUp: Type.Boolean({
          description: 'Whether it was reached at the last heart-beat',
          examples: [true],
        }),
        detail: Type.String({ description: 'For people', examples: ['in this process'] }),
      },
      { description: 'Its broker', examples: [{ isUp: true, detail: 'in this process' }] },
    ),
    load: Type.Optional(LOAD),
  },
  { description: 'A node that lives' },
)

export type NodeInfo = Static<typeof NODE_INFO>
