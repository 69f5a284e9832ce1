import { violation } from '../../../protocol/errors.ts'
import { header, type ClientFrame } from '../../../protocol/frame.ts'
import { negotiateHeartBeat, parseHeartBeat } from '../../../protocol/heart-beat.ts'
import { negotiateVersion } from '../../../protocol/version.ts'
import type { ConnectCall } from '../../inbound/call.ts'
import { connectedFrame } from '../outgoing.ts'
import type { SessionContext } from '../session-context.ts'

/** What this server offers: it can send every 10 s and would like to hear as often (CONTRACT, section 4). */
const OFFERED_HEART_BEAT = { sendMs: 10_000, receiveMs: 10_000 }

/** CONNECT and STOMP: version, heart-beat and credentials, in this order; then CONNECTED. */
export function connect(session: SessionContext, frame: ClientFrame): Promise<void> {
  session.move('connect')
  const version = negotiateVersion(header(frame.headers, 'accept-version'))
  if (version === undefined) throw violation('unsupported-version')
  session.version = version
  const asked = parseHeartBeat(header(frame.headers, 'heart-beat'))
  const call: ConnectCall = {
    kind: 'CONNECT',
    headers: frame.headers,
    upgrade: session.upgrade,
    remoteAddress: session.transport.remoteAddress,
    isAbandoned: () => session.state === 'CLOSING',
  }
  const admitted = admit(session, call, negotiateHeartBeat(OFFERED_HEART_BEAT, asked))
  // No settling: CONNECT is the one frame that gets no RECEIPT (STOMP 1.2, "Standard Headers").
  return admitted.catch((error: unknown) => session.fault(error, frame))
}

async function admit(
  session: SessionContext,
  call: ConnectCall,
  heartBeat: { sendMs: number; receiveMs: number },
): Promise<void> {
  await session.services.inbound.accept(call)
  if (call.principal === undefined) throw violation('authentication-failed')
  // The client may have left while its credentials were checked.
  if (session.state === 'CLOSING') return
  session.authenticated(call.principal)
  if (!session.services.registry.add(session)) throw violation('too-many-sessions')
  session.move('authenticated')
  session.transport.startHeartBeat(heartBeat.sendMs, heartBeat.receiveMs)
  session.transport.send(
    connectedFrame([
      'version',
      session.version,
      'session',
      session.id,
      'server',
      session.services.serverName,
      'heart-beat',
      `${OFFERED_HEART_BEAT.sendMs},${OFFERED_HEART_BEAT.receiveMs}`,
      'user-name',
      call.principal.name,
    ]),
  )
}
