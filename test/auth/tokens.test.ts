import { SignJWT, UnsecuredJWT, generateKeyPair } from 'jose'
import t from 'tap'
import { Tokens } from '../../src/auth/tokens.ts'

const SECRET = 'a secret of thirty-two bytes....'
const KEY = new TextEncoder().encode(SECRET)
const tokens = new Tokens({ secret: SECRET })
const inAnHour = () => Math.floor(Date.now() / 1000) + 3600

function forge(claims: Record<string, unknown>, alg = 'HS256'): SignJWT {
  return new SignJWT(claims).setProtectedHeader({ alg })
}

await t.test('verifies what it signed, and says until when it holds', async (t) => {
  const principal = { name: 'alice@x.org', roles: ['user', 'admin'] as const }
  const verified = await tokens.verify(await tokens.sign(principal, 60))
  t.match(verified, principal)
  const leftMs = (verified?.expiresAtMs ?? 0) - Date.now()
  t.ok(leftMs > 50_000 && leftMs <= 61_000, `${leftMs} ms left`)
})

await t.test('takes a foreign token with the same secret and our claims', async (t) => {
  const token = await forge({ sub: 'bob', roles: ['user'], exp: inAnHour(), iss: 'elsewhere' }).sign(KEY)
  t.match(await tokens.verify(token), { name: 'bob', roles: ['user'] })
})

await t.test('knows the logins that it signed for, and takes no session of others for one', async (t) => {
  const principal = { name: 'bob', roles: ['user'] as const }
  t.equal((await tokens.verify(await tokens.sign(principal, 60, 'l1')))?.loginId, 'l1')
  t.equal((await tokens.verify(await tokens.sign(principal, 60)))?.loginId, undefined)
  const foreign = { sub: 'bob', roles: ['user'], exp: inAnHour(), sid: 'l1' }
  for (const iss of [undefined, 'elsewhere']) {
    const token = await forge({ ...foreign, ...(iss !== undefined && { iss }) }).sign(KEY)
    t.match(await tokens.verify(token), { name: 'bob', loginId: undefined })
  }
})

await t.test('takes of others only what is for it, where it is told what that is', async (t) => {
  const strict = new Tokens({ secret: SECRET, issuer: 'shop', audience: 'relay' })
  const good = { sub: 'bob', roles: ['user'], exp: inAnHour(), iss: 'shop', aud: 'relay' }
  t.match(await strict.verify(await forge(good).sign(KEY)), { name: 'bob' })
  t.match(await strict.verify(await forge({ ...good, aud: ['billing', 'relay'] }).sign(KEY)), { name: 'bob' })
  const { iss, aud, ...bare } = good
  for (const [what, claims] of Object.entries({
    'another issuer': { ...good, iss: 'elsewhere' },
    'no issuer': { ...bare, aud },
    'another audience': { ...good, aud: 'billing' },
    'other audiences': { ...good, aud: ['billing', 'relays'] },
    'no audience': { ...bare, iss },
    'our name without a login': { ...good, iss: 'stomp-relay' },
  })) {
    t.equal(await strict.verify(await forge(claims).sign(KEY)), null, what)
  }
  const principal = { name: 'bob', roles: ['user'] as const }
  t.match(await strict.verify(await strict.sign(principal, 60)), { name: 'bob' }, 'one of the command line')
  t.match(await strict.verify(await strict.sign(principal, 60, 'l1')), { name: 'bob', loginId: 'l1' })
  t.match(
    await strict.verifyRefresh(
      await strict.signRefresh({ loginId: 'l1', turn: 0 }, new Date(Date.now() + 60_000)),
    ),
    {
      loginId: 'l1',
    },
  )
})

await t.test('refuses tokens that are not ours, over, early, or without what we need', async (t) => {
  const good = { sub: 'bob', roles: ['user'], exp: inAnHour() }
  const { privateKey } = await generateKeyPair('ES256')
  const ours = await forge(good).sign(KEY)
  const [head = '', body = '', signature = ''] = ours.split('.')
  const refused: Record<string, string> = {
    empty: '',
    noise: 'a.b.c',
    'another secret': await forge(good).sign(new TextEncoder().encode(SECRET.toUpperCase())),
    'another HMAC': await forge(good, 'HS512').sign(new Uint8Array([...KEY, ...KEY])),
    'a public key algorithm': await forge(good, 'ES256').sign(privateKey),
    'no signature': new UnsecuredJWT(good).encode(),
    'a cut signature': `${head}.${body}.${signature.slice(0, -2)}`,
    'a changed body': `${head}.${body.slice(0, -2)}AA.${signature}`,
    over: await forge({ ...good, exp: inAnHour() - 3610 }).sign(KEY),
    early: await forge({ ...good, nbf: inAnHour() }).sign(KEY),
    'without end': await forge({ sub: 'bob', roles: ['user'] }).sign(KEY),
    'without name': await forge({ roles: ['user'], exp: inAnHour() }).sign(KEY),
    'a bad name': await forge({ ...good, sub: 'bob/../alice' }).sign(KEY),
    'a long name': await forge({ ...good, sub: 'x'.repeat(65) }).sign(KEY),
    'without roles': await forge({ sub: 'bob', exp: inAnHour() }).sign(KEY),
    'no roles': await forge({ ...good, roles: [] }).sign(KEY),
    'an unknown role': await forge({ ...good, roles: ['user', 'root'] }).sign(KEY),
    'a role that is no list': await forge({ ...good, roles: 'admin' }).sign(KEY),
  }
  for (const [what, token] of Object.entries(refused)) t.equal(await tokens.verify(token), null, what)
})

await t.test('bears a clock that is a little off', async (t) => {
  const token = await forge({ sub: 'bob', roles: ['user'], exp: inAnHour() - 3602 }).sign(KEY)
  t.match(await tokens.verify(token), { name: 'bob' })
})

await t.test('refuses a secret below 32 bytes', async (t) => {
  t.throws(() => new Tokens({ secret: 'x'.repeat(31) }), { code: 'invalid-configuration' })
  t.ok(new Tokens({ secret: '\u00e9'.repeat(16) }), 'bytes count, not letters')
})
