import t from 'tap'
import { violation } from '../../protocol/errors.ts'
import type { AuditEvent } from '../../src/auth/audit.ts'
import type { AuthenticatedPrincipal } from '../../src/auth/principal.ts'
import { MessageError } from '../../src/errors.ts'
import type { ConnectCall, InboundCall, SendCall } from '../../src/inbound/call.ts'
import type { Interceptor } from '../../src/inbound/chain.ts'
import { audited } from '../../src/inbound/interceptors/audited.ts'

function book() {
  const events: unknown[] = []
  return {
    events,
    record: (event: AuditEvent) => void events.push(event),
    recordFailedLogin: (name: string, address: string | undefined) => void events.push([name, address]),
  }
}

const session = { id: 's', principal: { name: 'carl', roles: ['user'] as const }, remoteAddress: '192.0.2.7' }
const send: SendCall = { kind: 'SEND', session, destination: '/topic/x', headers: [], body: new Uint8Array() }

function connect(headers: readonly string[], isAbandoned = false): ConnectCall {
  return {
    kind: 'CONNECT',
    headers,
    upgrade: {},
    remoteAddress: '192.0.2.7',
    isAbandoned: () => isAbandoned,
  }
}

await t.test('writes down what is refused, and passes the refusal on', async (t) => {
  const forbidden = new MessageError('forbidden', 'no')
  const throwing: Interceptor = () => {
    throw forbidden
  }
  for (const interceptor of [throwing, async () => Promise.reject(forbidden)]) {
    const { events, ...audit } = book()
    const call = async (): Promise<void> => audited([() => undefined, interceptor], audit)(send)
    await t.rejects(call(), forbidden)
    t.strictSame(events, [{ kind: 'refused', user: 'carl', address: '192.0.2.7', about: 'SEND /topic/x' }])
  }
})

await t.test('writes nothing of what passes, or fails otherwise, and makes nobody wait', async (t) => {
  const { events, ...audit } = book()
  t.equal(audited([() => undefined], audit)(send), undefined)
  await audited([async () => undefined], audit)(send)
  const failing = (fault: Error) => audited([async () => Promise.reject(fault)], audit)
  for (const call of [send, connect([])] satisfies InboundCall[]) {
    await t.rejects(async () => failing(new MessageError('store-unavailable', 'away'))(call))
    await t.rejects(async () => failing(new TypeError('broken'))(call))
  }
  await t.rejects(async () => failing(new MessageError('forbidden', 'no'))(connect([])))
  t.strictSame(events, [])
})

await t.test('writes down who connects by a password, and who does not', async (t) => {
  const after = async (
    call: ConnectCall,
    principal?: AuthenticatedPrincipal,
    passcodeOf?: string,
  ): Promise<unknown[]> => {
    const { events, ...audit } = book()
    const identify: Interceptor = async () => {
      if (passcodeOf !== undefined) call.login = passcodeOf
      if (principal !== undefined) call.principal = principal
    }
    await audited([identify], audit)(call)
    return events
  }
  const roles = { roles: ['user'] as const }
  const carl = { name: 'carl', ...roles }
  const byPassword = { kind: 'login', user: 'carl', ...roles, address: '192.0.2.7', about: 'CONNECT' }
  t.strictSame(await after(connect(['login', 'carl']), carl), [byPassword])
  const byToken = { ...byPassword, kind: 'connected' }
  t.strictSame(await after(connect([]), { ...carl, expiresAtMs: 1 }), [byToken])
  const ofLogin = { ...carl, expiresAtMs: 1, loginId: 'one' }
  t.strictSame(await after(connect([]), ofLogin), [], 'a token of a login says nothing new')
  t.strictSame(await after(connect(['login', 'carl']), undefined, 'carl'), [['carl', '192.0.2.7']])
  const unseen = [{ kind: 'connect-refused', address: '192.0.2.7' }]
  t.strictSame(await after(connect(['login', 'carl'])), unseen, 'a name alone is no attempt')
  t.strictSame(await after(connect([])), [{ kind: 'connect-refused', address: '192.0.2.7' }])
  t.strictSame(await after(connect(['login', 'carl'], true)), [], 'who left was not looked at')
})

await t.test('writes down who is locked out, by what', async (t) => {
  const { events, ...audit } = book()
  const lockOut: Interceptor = async (call) => {
    throw violation(call.kind === 'CONNECT' ? 'too-many-logins' : 'too-many-sends')
  }
  await t.rejects(async () => audited([lockOut], audit)(connect(['login', 'carl'])), {
    code: 'too-many-logins',
  })
  await t.rejects(async () => audited([lockOut], audit)(send), { code: 'too-many-sends' })
  const other: Interceptor = async () => {
    throw violation('unknown-command')
  }
  await t.rejects(async () => audited([other], audit)(send))
  t.strictSame(events, [
    { kind: 'locked-out', address: '192.0.2.7', about: 'CONNECT: too-many-logins' },
    { kind: 'locked-out', user: 'carl', address: '192.0.2.7', about: 'SEND: too-many-sends' },
  ])
})
