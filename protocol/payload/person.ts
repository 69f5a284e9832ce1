import { Type } from 'typebox'
import { USER_NAME } from './fields.ts'

/** One of GET `/api/v1/users`. */
export const PERSON = Type.Object(
  { user: USER_NAME },
  { description: 'Somebody who has an account here, or was connected once' },
)
