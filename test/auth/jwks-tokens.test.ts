import { exportSPKI, importJWK, SignJWT, UnsecuredJWT, type CryptoKey } from 'jose'
import t from 'tap'
import { JwksTokens } from '../../src/auth/jwks-tokens.ts'
import { KeySet } from '../../src/auth/key-set.ts'
import {
  AUDIENCE,
  IdentityProvider,
  ISSUER,
  providerKey,
  providerToken,
  type Forgery,
} from '../support/identity-provider.ts'

const [rsa, ec, ed, stranger] = await Promise.all([
  providerKey('RS256', 'rsa'),
  providerKey('ES256', 'ec'),
  providerKey('EdDSA', 'ed'),
  providerKey('RS256', 'rsa'),
])
const provider = await IdentityProvider.open(t, [rsa.jwk, ec.jwk, ed.jwk])
const silent = { info: () => undefined, warn: () => undefined }
const keys = new KeySet({ url: provider.url, log: silent })
t.teardown(() => keys.close())
const tokens = new JwksTokens({ keys, issuer: ISSUER, audience: AUDIENCE })
const seconds = (fromNow: number): number => Math.floor(Date.now() / 1000) + fromNow

await t.test('verifies what was signed with any of the keys', async (t) => {
  for (const key of [rsa, ec, ed]) {
    const exp = seconds(600)
    const token = await providerToken(key, 'alice@x.org', { claims: { exp, roles: ['user', 'admin'] } })
    t.strictSame(
      await tokens.verify(token),
      { name: 'alice@x.org', roles: ['user', 'admin'], expiresAtMs: exp * 1000 },
      key.jwk.kid ?? '',
    )
  }
})

await t.test('takes a token that is for others, too, and one whose session id is not ours', async (t) => {
  const claims = { aud: ['other', AUDIENCE], sid: 'f00' }
  t.match(await tokens.verify(await providerToken(rsa, 'bob', { claims })), {
    name: 'bob',
    loginId: undefined,
  })
})

await t.test('bears a clock that is off by half a minute, and no more', async (t) => {
  const at = async (claims: Forgery['claims']) =>
    tokens.verify(await providerToken(rsa, 'bob', { claims: claims! }))
  t.ok(await at({ exp: seconds(-20) }))
  t.ok(await at({ nbf: seconds(20) }))
  t.equal(await at({ exp: seconds(-40) }), null)
  t.equal(await at({ nbf: seconds(60) }), null)
})

await t.test('refuses what is not of the provider, not for us, or not what we need', async (t) => {
  const refused: Record<string, Forgery> = {
    'another issuer': { claims: { iss: 'https://id.example.com' } },
    'no issuer': { claims: { iss: undefined } },
    'another audience': { claims: { aud: 'other' } },
    'no audience': { claims: { aud: undefined } },
    'without end': { claims: { exp: undefined } },
    'without name': { claims: { sub: undefined } },
    'a bad name': { claims: { sub: 'auth0|123' } },
    'a long name': { claims: { sub: 'x'.repeat(65) } },
    'a name that is a list': { claims: { sub: ['bob'] } },
    'without roles': { claims: { roles: undefined } },
    'no roles': { claims: { roles: [] } },
    'an unknown role': { claims: { roles: ['user', 'root'] } },
    'a role that is no list': { claims: { roles: 'admin' } },
    'roles that are an object': { claims: { roles: { 0: 'admin', length: 1 } } },
    'an unknown key': { header: { kid: 'none' } },
    'a key of another kind': { header: { kid: 'ec' } },
    'an id that is a number': { header: { kid: 7 } },
    'a long id': { header: { kid: 'x'.repeat(257) } },
    'an extension that we do not know': { header: { crit: ['x'], x: 1 } },
  }
  for (const [what, forgery] of Object.entries(refused)) {
    const token = await providerToken(rsa, 'bob', forgery).catch(() => undefined)
    if (token !== undefined) t.equal(await tokens.verify(token), null, what)
  }
  t.equal(await tokens.verify(await providerToken(stranger, 'bob')), null, 'a key of the same name')
  for (const noise of ['', 'a.b.c', '..', '\u0000', `${'x'.repeat(10_000)}.e30.`, 'eyJhbGciOjF9.e30.']) {
    t.equal(await tokens.verify(noise), null, 'noise')
  }
  t.equal(provider.count, 1, 'all of this has asked the provider once')
})

await t.test('lets no token choose how it is verified', async (t) => {
  const claims = { sub: 'bob', roles: ['admin'], iss: ISSUER, aud: AUDIENCE, exp: seconds(600) }
  t.equal(await tokens.verify(new UnsecuredJWT(claims).encode()), null, 'none')
  const publicKey = await importJWK(rsa.jwk, 'RS256', { extractable: true })
  const pem = new TextEncoder().encode(await exportSPKI(publicKey as CryptoKey))
  const json = new TextEncoder().encode(JSON.stringify(rsa.jwk))
  for (const secret of [pem, json]) {
    const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'rsa' }).sign(secret)
    t.equal(await tokens.verify(forged), null, 'the public key as a secret')
  }
  // The same key, by an algorithm that it is not for.
  const [, body = '', signature = ''] = (await providerToken(rsa, 'bob')).split('.')
  for (const alg of ['PS256', 'RS512', 'ES256', 'EdDSA', 'rs256']) {
    const head = Buffer.from(JSON.stringify({ alg, kid: 'rsa' })).toString('base64url')
    t.equal(await tokens.verify(`${head}.${body}.${signature}`), null, alg)
  }
  const embedded = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', kid: 'none', jwk: stranger.jwk, jku: 'http://127.0.0.1:1/' })
    .sign(stranger.privateKey)
  t.equal(await tokens.verify(embedded), null, 'a key that it brings along')
})

await t.test('says no, and never fails, where the key itself cannot be used', async (t) => {
  const broken = new JwksTokens({
    keys: {
      find: async () => ({ algorithm: 'RS256', key: (await importJWK(ec.jwk, 'ES256')) as CryptoKey }),
    },
    issuer: ISSUER,
    audience: AUDIENCE,
  })
  t.equal(await broken.verify(await providerToken(rsa, 'bob')), null)
})
