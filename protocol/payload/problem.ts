import { Type } from 'typebox'

/** Every error of the HTTP API (RFC 9457). */
export const PROBLEM = Type.Object(
  {
    type: Type.Literal('about:blank', { description: 'Always so', examples: ['about:blank'] }),
    title: Type.String({ description: 'What the status means', examples: ['Bad Request'] }),
    status: Type.Integer({
      minimum: 400,
      maximum: 599,
      description: 'The HTTP status',
      examples: [400],
    }),
    code: Type.String({
      description: 'For programs; the same codes as in `/user/queue/errors`',
      examples: ['invalid-payload'],
    }),
    detail: Type.String({
      description: 'For people',
      examples: ['/title must not have fewer than 1 characters'],
    }),
  },
  { description: 'Why a request was refused' },
)
