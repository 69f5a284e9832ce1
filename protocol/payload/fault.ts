import { Type, type Static } from 'typebox'

/** MESSAGE of `/user/queue/errors`: one message or subscription was refused, and the session lives on. */
export const FAULT = Type.Object(
  {
    code: Type.String({
      pattern: '^[a-z][a-z-]*$',
      description: 'Why, for programs',
      examples: ['invalid-payload'],
    }),
    message: Type.String({
      description: 'Why, for people',
      examples: ['/content must NOT have fewer than 1 characters'],
    }),
    destination: Type.String({
      description: 'Where the refused frame was addressed to; empty for a frame that has none',
      examples: ['/app/messages'],
    }),
    receipt: Type.Optional(
      Type.String({ description: 'The `receipt` that the refused frame asked for', examples: ['r-7'] }),
    ),
  },
  { description: 'A refusal that ends nothing' },
)

export type Fault = Static<typeof FAULT>
