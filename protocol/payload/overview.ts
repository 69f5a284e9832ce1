import { Type, type Static } from 'typebox'
import { NODE_INFO } from './session.ts'
import { TIMESTAMP } from './fields.ts'

const COUNT = Type.Integer({ minimum: 0 })

const QUEUE = Type.Object({
  name: Type.String({ description: 'As RabbitMQ calls it', examples: ['user'] }),
  messages: { ...COUNT, description: 'That nobody has been given', examples: [3] },
  consumers: { ...COUNT, description: 'Nodes and others that take from it', examples: [2] },
})

/** Answer to GET `/api/v1/admin/overview`. */
export const OVERVIEW = Type.Object(
  {
    at: { ...TIMESTAMP, description: 'When it was counted: RFC 3339, UTC; anew after a second' },
    users: { ...COUNT, description: 'Connected, each once however many sessions it has', examples: [310] },
    sessions: { ...COUNT, description: 'STOMP sessions, event streams and long polls', examples: [412] },
    rooms: { ...COUNT, description: 'Public and private ones', examples: [57] },
    rates: Type.Object(
      {
        framesIn: Type.Number({ minimum: 0, description: 'Received a second', examples: [240] }),
        framesOut: Type.Number({ minimum: 0, description: 'Sent a second', examples: [18_800] }),
      },
      {
        description: 'STOMP frames of all nodes, between their last two heart-beats',
        examples: [{ framesIn: 240, framesOut: 18_800 }],
      },
    ),
    outboxAgeMs: {
      ...COUNT,
      description: 'How long the oldest stored event has waited for the broker',
      examples: [0],
    },
    queues: Type.Array(QUEUE, {
      description: 'Those of orders, as far as they are there and the broker says',
      examples: [[{ name: 'user', messages: 3, consumers: 2 }]],
    }),
    deadLetters: { ...COUNT, description: 'Stored ones', examples: [1] },
    operations: Type.Record(Type.String(), Type.Integer({ minimum: 0 }), {
      description: 'How many there are in each state; states without any are missing',
      examples: [{ RUNNING: 1, SUCCEEDED: 12 }],
    }),
    nodes: Type.Array(NODE_INFO, { description: 'Those that live, by id' }),
  },
  { description: 'The whole at a glance' },
)

export type Overview = Static<typeof OVERVIEW>
