import { header } from '../../../protocol/frame.ts'
import { bearerToken } from '../../auth/bearer-token.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { ConnectCall } from '../call.ts'
import type { Interceptor } from '../chain.ts'

/** Finds out who connects; where nobody is found out the session refuses. Credentials are looked for where CONTRACT.md, section 3 says, first found wins. */
export function authenticate(authenticator: Pick<Authenticator, 'authenticate'>): Interceptor {
  return (call) => (call.kind === 'CONNECT' ? connect(authenticator, call) : undefined)
}

async function connect(authenticator: Pick<Authenticator, 'authenticate'>, call: ConnectCall): Promise<void> {
  const { authorization, queryToken } = call.upgrade
  const bearer =
    bearerToken(authorization) ?? queryToken ?? bearerToken(header(call.headers, 'Authorization'))
  const login = header(call.headers, 'login')
  const passcode = header(call.headers, 'passcode')
  const credentials = {
    ...(bearer !== undefined && { bearer }),
    ...(login !== undefined && { login }),
    ...(passcode !== undefined && { passcode }),
  }
  const principal = await authenticator.authenticate(credentials, { isAbandoned: call.isAbandoned })
  if (principal !== undefined) call.principal = principal
}
