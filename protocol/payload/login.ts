import { Type, type Static } from 'typebox'
import { USER_NAME } from './fields.ts'

const PASSWORD = Type.String({ minLength: 1, maxLength: 1024, examples: ['correct horse'] })

const REFRESH_TOKEN = Type.String({
  minLength: 1,
  maxLength: 8192,
  description: 'Good for one exchange, for 30 days; whoever brings it a second time ends the login',
  examples: ['eyJhbGciOiJIUzI1NiIsInR5cCI6InJlZnJlc2grand0In0.e30.c2lnbmF0dXJl'],
})

/** POST `/api/v1/auth/login` and `/register`. */
export const LOGIN_POST = Type.Object(
  {
    username: USER_NAME,
    password: { ...PASSWORD, description: 'At most 1,024 bytes; a new one has 8 characters or more' },
  },
  { description: 'Name and password of a built-in account' },
)

/** POST `/api/v1/auth/refresh`. */
export const REFRESH_POST = Type.Object(
  { refreshToken: REFRESH_TOKEN },
  { description: 'A refresh token, for new tokens' },
)

/** POST `/api/v1/auth/logout`. */
export const LOGOUT_POST = Type.Object(
  {
    refreshToken: Type.Optional({
      ...REFRESH_TOKEN,
      description: 'Says whose login ends, where no bearer token does',
    }),
    everywhere: Type.Optional(
      Type.Boolean({ description: 'Ends all logins of the user; otherwise only this one', examples: [true] }),
    ),
  },
  { description: 'The end of a login and of the sessions that it let in' },
)

/** The answer to a login, a registration and a refresh. */
export const GRANT = Type.Object(
  {
    accessToken: Type.String({
      description: 'A JWT: for `Authorization: Bearer`, and for CONNECT',
      examples: ['eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl'],
    }),
    refreshToken: REFRESH_TOKEN,
    expiresIn: Type.Integer({ description: 'Seconds for which the access token is good', examples: [900] }),
    user: Type.Object(
      {
        name: USER_NAME,
        roles: Type.Array(
          Type.Union([Type.Literal('user'), Type.Literal('service'), Type.Literal('admin')]),
          {
            description: 'What the user may do goes by these',
            examples: [['user']],
          },
        ),
      },
      { description: 'Who is logged in', examples: [{ name: 'alice', roles: ['user'] }] },
    ),
  },
  { description: 'Tokens of somebody who is logged in' },
)

export type LoginPost = Static<typeof LOGIN_POST>
export type RefreshPost = Static<typeof REFRESH_POST>
export type LogoutPost = Static<typeof LOGOUT_POST>
