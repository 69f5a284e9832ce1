import t from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { NodeError } from '../../src/errors.ts'

/** Random, as production wants it. */
const SECRET = 'k7Gq2TzV9mW4xR1bN8cY5dH3fJ6pL0sA'

/** The faults, a line each; none where the configuration is fine. */
function faultsOf(env: Readonly<Record<string, string>>): string[] {
  try {
    readConfig(env)
    return []
  } catch (error) {
    if (!(error instanceof NodeError)) throw error
    return error.message.split('\n')
  }
}

await t.test('takes the accounts of an identity provider instead of its own', async (t) => {
  const url = { AUTH_JWKS_URL: 'https://id.example.com/keys' }
  const provider = { ...url, AUTH_JWT_ISSUER: 'https://id.example.com/', AUTH_JWT_AUDIENCE: 'relay' }
  t.match(readConfig({ ...provider, NODE_ENV: 'production' }), {
    jwksUrl: 'https://id.example.com/keys',
    jwtIssuer: 'https://id.example.com/',
    jwtAudience: 'relay',
    jwtSecret: undefined,
    demoAccounts: false,
  })
  t.equal(readConfig(provider).demoAccounts, false, 'though nobody said so, and it is no production')
  t.same(faultsOf(url), [
    'AUTH_JWT_ISSUER must be set too, because AUTH_JWKS_URL is',
    'AUTH_JWT_AUDIENCE must be set too, because AUTH_JWKS_URL is',
  ])
  t.same(faultsOf({ AUTH_JWT_ISSUER: 'a', AUTH_JWT_AUDIENCE: 'b' }), [
    'AUTH_JWT_ISSUER must not be set without AUTH_JWKS_URL or AUTH_JWT_SECRET',
    'AUTH_JWT_AUDIENCE must not be set without AUTH_JWKS_URL or AUTH_JWT_SECRET',
  ])
  t.same(faultsOf({ AUTH_JWT_ISSUER: 'a', AUTH_JWT_AUDIENCE: 'b', AUTH_JWT_SECRET: SECRET }), [])
  t.same(faultsOf({ ...provider, AUTH_JWT_SECRET: SECRET, DEMO_ACCOUNTS: 'on' }), [
    'AUTH_JWT_SECRET must not be set beside AUTH_JWKS_URL',
    'DEMO_ACCOUNTS must not be on beside AUTH_JWKS_URL: the accounts are those of the identity provider',
  ])
  const plain = { ...provider, AUTH_JWKS_URL: 'http://id.example.com/keys' }
  t.same(faultsOf(plain), [])
  t.same(faultsOf({ ...plain, NODE_ENV: 'production' }), [
    'AUTH_JWKS_URL must begin with https: in production',
  ])
  for (const bad of ['keys', 'file:///etc/passwd', 'https://user:hunter2@id.example.com/keys']) {
    t.same(faultsOf({ ...provider, AUTH_JWKS_URL: bad }), [
      'AUTH_JWKS_URL must be an https: URL without credentials',
      'AUTH_JWT_ISSUER must not be set without AUTH_JWKS_URL or AUTH_JWT_SECRET',
      'AUTH_JWT_AUDIENCE must not be set without AUTH_JWKS_URL or AUTH_JWT_SECRET',
    ])
  }
})
