import t from 'tap'
import { header } from '../../protocol/frame.ts'
import { ProtocolViolation } from '../../protocol/errors.ts'
import { MessageError } from '../../src/errors.ts'
import type { Credentials } from '../../src/auth/authenticator.ts'
import type { Asker } from '../../src/auth/passwords.ts'
import type { AuthenticatedPrincipal } from '../../src/auth/principal.ts'
import type { ConnectCall } from '../../src/inbound/call.ts'
import { authenticate } from '../../src/inbound/interceptors/authenticate.ts'
import { Attempts } from '../../src/lib/attempts.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { useRelay } from '../support/relay.ts'
import { StompClient } from '../support/stomp-client.ts'
import { metric } from '../support/until.ts'

interface Rig {
  /** What became of a CONNECT: a name, `nobody`, or the code of a violation. */
  readonly connect: (headers: readonly string[], from?: Partial<ConnectCall>) => Promise<string>
  /** What was looked at. */
  readonly seen: Credentials[]
  /** Where those came from. */
  readonly addresses: (string | undefined)[]
  readonly logins: Attempts
}

/** Passcodes are right that equal the login; `gate` holds them up before they are looked at. */
function rig(max: number, gate: Promise<void> = Promise.resolve()): Rig {
  const logins = new Attempts({ max })
  const seen: Credentials[] = []
  const addresses: (string | undefined)[] = []
  let turn = gate
  const verify = async (
    credentials: Credentials,
    asker: Asker = {},
  ): Promise<AuthenticatedPrincipal | undefined> => {
    // One at a time, as hashes are.
    const before = turn
    const mine = deferred()
    turn = mine.promise
    await before
    setImmediate(mine.resolve)
    if (asker.isAbandoned?.() === true) return undefined
    if (credentials.login === 'guessed') throw new MessageError('rate-limited', 'too many')
    if (credentials.login === 'away') throw new MessageError('store-unavailable', 'away')
    seen.push(credentials)
    if (credentials.passcode !== undefined) addresses.push(asker.address)
    const name = credentials.bearer ?? credentials.login ?? ''
    const isRight = credentials.bearer !== undefined || credentials.login === credentials.passcode
    return isRight && name !== '' ? { name, roles: ['user'] } : undefined
  }
  const interceptor = authenticate({ authenticate: verify }, logins)
  return {
    seen,
    addresses,
    logins,
    connect: async (headers, from = {}) => {
      const call: ConnectCall = {
        kind: 'CONNECT',
        headers,
        upgrade: {},
        remoteAddress: '192.0.2.1',
        isAbandoned: () => false,
        ...from,
      }
      try {
        await interceptor(call)
        return call.principal?.name ?? 'nobody'
      } catch (error) {
        if (error instanceof ProtocolViolation) return error.code
        throw error
      }
    },
  }
}

const RIGHT = ['login', 'alice', 'passcode', 'alice']
const WRONG = ['login', 'alice', 'passcode', 'guess']

await t.test('takes the credentials that are found first', async (t) => {
  const { connect, seen, addresses } = rig(10)
  t.equal(await connect(RIGHT, { upgrade: { authorization: 'Bearer a', queryToken: 'b' } }), 'a')
  t.equal(await connect(RIGHT, { upgrade: { queryToken: 'b' } }), 'b')
  t.equal(await connect(['Authorization', 'Bearer c', ...RIGHT]), 'c')
  t.equal(await connect(RIGHT), 'alice')
  t.equal(await connect(['login', 'alice']), 'nobody')
  t.equal(await connect([]), 'nobody')
  t.same(seen.at(-1), {}, 'half an account is none')
  t.same(addresses, ['192.0.2.1'], 'passcodes wait in the line of their address')
})

await t.test('looks at no passcode of an address that has guessed too often', async (t) => {
  const { connect, seen } = rig(2)
  t.equal(await connect(WRONG), 'nobody')
  t.equal(await connect(WRONG), 'nobody')
  t.equal(await connect(WRONG), 'too-many-logins')
  t.equal(await connect(RIGHT), 'too-many-logins', 'or a guess would show by its answer')
  t.equal(seen.length, 2)
  t.equal(await connect(RIGHT, { remoteAddress: '192.0.2.2' }), 'alice', 'others may')
  t.equal(await connect(['Authorization', 'Bearer c']), 'c', 'a token is no guess')
})

await t.test('counts wrong passcodes only, and the addresses of a network as one', async (t) => {
  const { connect } = rig(2)
  for (let i = 0; i < 5; i++) t.equal(await connect(RIGHT), 'alice')
  t.equal(await connect(WRONG, { remoteAddress: '2001:db8::1' }), 'nobody')
  t.equal(await connect(WRONG, { remoteAddress: '2001:db8::2' }), 'nobody')
  t.equal(await connect(RIGHT, { remoteAddress: '2001:db8::3' }), 'too-many-logins')
})

await t.test('drops the guesses that wait as soon as their address has no more', async (t) => {
  const gate = deferred()
  const { connect, seen } = rig(2, gate.promise)
  const outcomes = Array.from({ length: 20 }, async () => connect(WRONG))
  gate.resolve()
  const kinds = await Promise.all(outcomes)
  t.equal(seen.length, 2)
  t.equal(kinds.filter((each) => each === 'too-many-logins').length, 18)
})

await t.test('does not count one that left before its passcode was looked at', async (t) => {
  const { connect, logins, seen } = rig(1)
  t.equal(await connect(WRONG, { isAbandoned: () => true }), 'nobody')
  t.equal(seen.length, 0)
  t.equal(logins.waitMs('192.0.2.1'), 0)
})

await t.test('refuses a name that too many have guessed at', async (t) => {
  const { connect } = rig(10)
  t.equal(await connect(['login', 'guessed', 'passcode', 'x']), 'too-many-logins')
  await t.rejects(connect(['login', 'away', 'passcode', 'x']), { code: 'store-unavailable' })
})

await t.test('closes guessers with 1008, over WebSocket and HTTP alike', async (t) => {
  const relay = await useRelay(t, { LIMIT_LOGINS_PER_MINUTE: '2' })
  const guess = async (passcode: string): Promise<string | undefined> => {
    const client = await StompClient.open(t, relay.url)
    client.send('CONNECT', ['accept-version', '1.2', 'login', 'alice', 'passcode', passcode])
    const error = await client.next('ERROR')
    const { code } = await client.closed
    return `${header(error.headers, 'message')} ${code}`
  }
  t.equal(await guess('wrong'), 'authentication failed 1002')
  t.equal(await guess('wrong'), 'authentication failed 1002')
  t.equal(await guess('alice'), 'too many failed logins 1008')
  t.equal(await metric(relay.address, 'stomp_relay_violations_total{code="too-many-logins"}'), 1)
})

await t.test('knows guessers behind a trusted proxy apart, and by no header of their own', async (t) => {
  const guess = async (url: string, from: string): Promise<number> => {
    const client = await StompClient.open(t, url, { headers: { 'x-forwarded-for': from } })
    client.send('CONNECT', ['accept-version', '1.2', 'login', 'alice', 'passcode', 'wrong'])
    return (await client.closed).code
  }
  const behind = await useRelay(t, {
    LIMIT_LOGINS_PER_MINUTE: '1',
    TRUST_PROXY: '127.0.0.1',
    DEMO_ACCOUNTS: 'on',
  })
  t.equal(await guess(behind.url, '192.0.2.1'), 1002)
  t.equal(await guess(behind.url, '192.0.2.2'), 1002)
  t.equal(await guess(behind.url, '198.51.100.7, 192.0.2.1'), 1008)
  const direct = await useRelay(t, { LIMIT_LOGINS_PER_MINUTE: '1' })
  t.equal(await guess(direct.url, '192.0.2.1'), 1002)
  t.equal(await guess(direct.url, '192.0.2.2'), 1008)
})
