import { Tokens } from '../../src/auth/tokens.ts'
import type { Role } from '../../src/auth/principal.ts'

/** A secret that tests start their nodes with. */
export const TEST_SECRET = 'a secret for tests, of 32 bytes or more'

/** A bearer token for nodes that know `TEST_SECRET`. */
export async function testToken(name: string, ...roles: Role[]): Promise<string> {
  return new Tokens({ secret: TEST_SECRET }).sign({ name, roles }, 600)
}
