import { Type } from 'typebox'

/** SEND `/app/session/token`. */
export const SESSION_TOKEN = Type.Object(
  {
    token: Type.String({
      minLength: 1,
      maxLength: 8192,
      description: 'A JWT of the same user, with the roles that the session has, or more',
      examples: ['eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl'],
    }),
  },
  { description: 'A fresh token, with which the session goes on' },
)
