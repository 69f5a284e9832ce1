import { violation } from '../../../protocol/errors.ts'
import { header } from '../../../protocol/frame.ts'
import { MessageError } from '../../errors.ts'
import { bearerToken } from '../../auth/bearer-token.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import type { AuthenticatedPrincipal } from '../../auth/principal.ts'
import { addressKey } from '../../lib/address-key.ts'
import type { Attempts } from '../../lib/attempts.ts'
import type { ConnectCall } from '../call.ts'
import type { Interceptor } from '../chain.ts'

/**
 * Finds out who connects; where nobody is found out the session refuses. Credentials are looked for
 * where CONTRACT.md, section 3 says, first found wins.
 *
 * @param logins of each address, wrong passcodes among them: once they are used up no passcode of that
 * address is looked at, nor are those that wait for it. Only passcodes can be guessed, and only they
 * cost a hash
 */
export function authenticate(
  authenticator: Pick<Authenticator, 'authenticate'>,
  logins: Pick<Attempts, 'waitMs' | 'count'>,
): Interceptor {
  return (call) => (call.kind === 'CONNECT' ? connect({ authenticator, logins }, call) : undefined)
}

interface Parts {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly logins: Pick<Attempts, 'waitMs' | 'count'>
}

async function connect({ authenticator, logins }: Parts, call: ConnectCall): Promise<void> {
  const { authorization, queryToken } = call.upgrade
  const bearer =
    bearerToken(authorization) ?? queryToken ?? bearerToken(header(call.headers, 'Authorization'))
  const login = header(call.headers, 'login')
  const passcode = header(call.headers, 'passcode')
  const principal =
    bearer === undefined && login !== undefined && passcode !== undefined
      ? await logIn({ authenticator, logins }, call, { login, passcode })
      : await authenticator.authenticate(bearer === undefined ? {} : { bearer })
  if (principal !== undefined) call.principal = principal
}

/** @throws ProtocolViolation `too-many-logins` */
async function logIn(
  { authenticator, logins }: Parts,
  call: ConnectCall,
  account: { readonly login: string; readonly passcode: string },
): Promise<AuthenticatedPrincipal | undefined> {
  const address = addressKey(call.remoteAddress)
  const isUsedUp = (): boolean => logins.waitMs(address) > 0
  if (isUsedUp()) throw violation('too-many-logins')
  let isUnseen = false
  // Asked again when its turn comes: others of the address may have failed while it waited.
  const isAbandoned = (): boolean => (isUnseen = call.isAbandoned() || isUsedUp())
  const asker = { isAbandoned, address: call.remoteAddress }
  const principal = await authenticator.authenticate(account, asker).catch(refuseGuessed)
  if (!isUnseen) call.login = account.login
  if (principal !== undefined) return principal
  if (!isUnseen) logins.count(address)
  else if (isUsedUp()) throw violation('too-many-logins')
  return undefined
}

/** Too many have guessed at the name. */
function refuseGuessed(error: unknown): never {
  if (error instanceof MessageError && error.code === 'rate-limited') throw violation('too-many-logins')
  throw error
}
