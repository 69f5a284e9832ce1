import t from 'tap'
import { readConfig } from '../../src/config/config.ts'

const SAFE = { NODE_ENV: 'production', AUTH_JWT_SECRET: 'k7Gq2TzV9mW4xR1bN8cY5dH3fJ6pL0sA' }

/** The variables that have to change, in production and outside. */
function refused(env: Readonly<Record<string, string>>): { readonly [where: string]: readonly string[] } {
  return { production: faults({ ...SAFE, ...env }), elsewhere: faults(env) }
}

function faults(env: Readonly<Record<string, string>>): string[] {
  try {
    readConfig(env)
    return []
  } catch (error) {
    return String(error instanceof Error ? error.message : error)
      .split('\n')
      .map((line) => line.split(' ')[0] ?? '')
  }
}

await t.test('starts in production with settings that are safe', async (t) => {
  const { production } = refused({
    HOST: '0.0.0.0',
    ALLOWED_ORIGINS: 'https://app.example.com,https://*.example.com',
    TRUST_PROXY: '10.0.0.0/8,fc00::/7,192.0.2.1,2001:db8::1,::ffff:10.0.0.0/104,::/96,2001:db8::/32',
    RABBITMQ_STOMP_URL: 'stomp://relay:4Nq8@rabbit.internal',
    RABBITMQ_AMQP_URL: 'amqp://relay:4Nq8@rabbit.internal',
    DEMO_ACCOUNTS: 'off',
  })
  t.same(production, [])
})

await t.test('wants a secret that nobody can guess', async (t) => {
  t.same(faults({ NODE_ENV: 'production' }), ['AUTH_JWT_SECRET'])
  for (const secret of [
    'x'.repeat(64),
    'abcabcabcabcabcabcabcabcabcabcabcabc',
    'change-me-change-me-please-0123456',
    'your-secret-key-of-at-least-32-bytes',
    'MySuperSecretKeyForTheRelay-2026-ok',
    'the quick brown password jumps over',
    'your-256-bit-secret-in-32-bytes-ok',
    // What jwt.io begins with, and what tutorials about Spring Boot end with.
    'a-string-secret-at-least-256-bits-long',
    '404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970',
    '404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970',
  ]) {
    t.same(refused({ AUTH_JWT_SECRET: secret }), { production: ['AUTH_JWT_SECRET'], elsewhere: [] }, secret)
  }
  for (const secret of ['0f1e2d3c4b5a69788796a5b4c3d2e1f0', SAFE.AUTH_JWT_SECRET]) {
    t.same(faults({ ...SAFE, AUTH_JWT_SECRET: secret }), [], secret)
  }
})

await t.test('wants no pages of everywhere, nor of a whole top-level domain', async (t) => {
  for (const origins of ['*', 'https://app.example.com,*', 'https://*.com', 'http://*.dev:8443']) {
    t.same(refused({ ALLOWED_ORIGINS: origins }), { production: ['ALLOWED_ORIGINS'], elsewhere: [] }, origins)
  }
})

await t.test('wants no demo accounts', async (t) => {
  t.same(refused({ DEMO_ACCOUNTS: 'on' }), { production: ['DEMO_ACCOUNTS'], elsewhere: [] })
})

await t.test('wants no proxies everywhere', async (t) => {
  for (const networks of [
    '0.0.0.0/0',
    '::/0',
    '10.0.0.1,0.0.0.0/1,128.0.0.0/1',
    '::ffff:0:0/3',
    '::ffff:0:0/96',
    '::ffff:10.0.0.0/103',
    '::/8',
    '::fffe:0:0/95',
  ]) {
    t.same(refused({ TRUST_PROXY: networks }), { production: ['TRUST_PROXY'], elsewhere: [] }, networks)
  }
})

await t.test('wants no well-known account at a broker that others can reach', async (t) => {
  const urls = (stomp: string, amqp: string): Record<string, string> => ({
    RABBITMQ_STOMP_URL: stomp,
    RABBITMQ_AMQP_URL: amqp,
  })
  t.same(refused(urls('stomp://rabbit', 'amqp://guest:guest@rabbit')), {
    production: ['RABBITMQ_STOMP_URL', 'RABBITMQ_AMQP_URL'],
    elsewhere: [],
  })
  t.same(faults({ ...SAFE, ...urls('stomp://127.0.0.1,10.0.0.1', 'amqp://relay:4Nq8@10.0.0.1') }), [
    'RABBITMQ_STOMP_URL',
  ])
  t.same(faults({ ...SAFE, ...urls('stomp://127.0.0.1', 'amqp://localhost,[::1]') }), [])
})

await t.test('takes no other spelling of production for something else', async (t) => {
  for (const name of ['prod', 'Production', 'PRODUCTION', 'productions']) {
    t.same(faults({ NODE_ENV: name }), ['NODE_ENV'], name)
  }
  t.same(faults({ NODE_ENV: 'staging' }), [])
  for (const name of [' production', 'production ', 'production\r\n', '\tproduction']) {
    t.same(faults({ NODE_ENV: name }), ['AUTH_JWT_SECRET'], 'it is production, which wants a secret')
  }
})
