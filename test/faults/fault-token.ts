import type { Role } from '../../src/auth/principal.ts'
import { Tokens } from '../../src/auth/tokens.ts'
import { TEST_SECRET } from '../support/token.ts'

/** Sessions end with their tokens: longer than any run. */
const TOKEN_S = 7200

export async function faultToken(name: string, role: Role): Promise<string> {
  return new Tokens({ secret: TEST_SECRET }).sign({ name, roles: [role] }, TOKEN_S)
}
