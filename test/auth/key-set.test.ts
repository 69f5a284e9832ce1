import t, { type Test } from 'tap'
import { KeySet, type KeySetTimes } from '../../src/auth/key-set.ts'
import { IdentityProvider, providerKey } from '../support/identity-provider.ts'
import { until } from '../support/until.ts'

// A real HTTP server; only the clock that says how old keys are is the test's.

const [rsa, ec, ed] = await Promise.all([
  providerKey('RS256', 'rsa'),
  providerKey('ES256', 'ec'),
  providerKey('EdDSA', 'ed'),
])

async function open(t: Test, times: Partial<KeySetTimes> = {}) {
  const provider = await IdentityProvider.open(t, [rsa.jwk, ec.jwk])
  const events: string[] = []
  const note = ({ event }: { event: string }): void => void events.push(event)
  const clock = { nowMs: 0 }
  const keys = new KeySet({
    url: provider.url,
    log: { info: note, warn: note },
    times,
    now: () => clock.nowMs,
  })
  t.teardown(() => keys.close())
  return { provider, keys, events, clock }
}

await t.test('fetches the keys once for all who ask, and knows what each is good for', async (t) => {
  const { provider, keys, events } = await open(t)
  const found = await Promise.all(['rsa', 'ec', 'rsa', 'none'].map(async (id) => keys.find(id)))
  t.strictSame(
    found.map((key) => key?.algorithm),
    ['RS256', 'ES256', 'RS256', undefined],
  )
  t.equal(provider.count, 1)
  t.strictSame(events, ['identity-keys'])
  t.equal(await keys.find(undefined), undefined, 'which of the two?')
})

await t.test('gives the only key to a token that names none', async (t) => {
  const { provider, keys } = await open(t)
  const { kid, ...nameless } = ed.jwk
  provider.keys = [nameless]
  t.equal((await keys.find(undefined))?.algorithm, 'EdDSA')
  t.equal(await keys.find(kid), undefined)
})

await t.test('fetches anew for an id that is not known, but not again before a pause', async (t) => {
  const { provider, keys, clock } = await open(t)
  await keys.warm()
  provider.keys = [ec.jwk, ed.jwk]
  t.equal(await keys.find('ed'), undefined, 'asked a moment ago')
  t.equal(provider.count, 1)
  clock.nowMs += 30_000
  t.equal((await keys.find('ed'))?.algorithm, 'EdDSA')
  t.equal(await keys.find('rsa'), undefined, 'it was withdrawn')
  for (let i = 0; i < 1000; i++) t.equal(await keys.find(`made-up-${i}`), undefined)
  t.equal(provider.count, 2)
})

await t.test('fetches old keys anew without keeping anybody waiting', async (t) => {
  const { provider, keys, clock } = await open(t)
  await keys.warm()
  provider.keys = [rsa.jwk, ed.jwk]
  clock.nowMs += 600_001
  t.ok(await keys.find('rsa'))
  t.ok(await keys.find('ec'), 'the old set, while the new one is on its way')
  await until(async () => (await keys.find('ec')) === undefined)
  t.equal(provider.count, 2)
})

await t.test('believes no key that was withdrawn while nobody asked', async (t) => {
  const { provider, keys, clock } = await open(t)
  await keys.warm()
  provider.keys = [rsa.jwk]
  clock.nowMs += 1_200_001
  t.same(
    (await Promise.all(['ec', 'rsa', 'ec'].map(async (id) => keys.find(id)))).map((key) => key?.algorithm),
    [undefined, 'RS256', undefined],
  )
  t.equal(provider.count, 2)
})

await t.test('waits once for a provider that is away, and then for nobody', async (t) => {
  const { provider, keys, clock, events } = await open(t, { timeoutMs: 60_000 })
  await keys.warm()
  provider.respond = () => ({ status: 500, body: '' })
  clock.nowMs += 1_200_001
  t.ok(await keys.find('rsa'), 'known keys are good all the same')
  t.equal(events.at(-1), 'identity-provider-away')
  provider.respond = () => undefined
  clock.nowMs += 5000
  t.ok(await keys.find('rsa'), 'though it does not answer')
  await until(() => provider.count === 3)
  t.ok(await keys.find('ec'))
})

await t.test('goes on with known keys for a day while the provider is away, and then no more', async (t) => {
  const { provider, keys, events, clock } = await open(t)
  await keys.warm()
  await provider.leave()
  clock.nowMs += 86_400_000
  t.ok(await keys.find('rsa'))
  await until(() => events.includes('identity-provider-away'))
  clock.nowMs += 1
  t.equal(await keys.find('rsa'), undefined)
  await provider.comeBack()
  t.equal(await keys.find('rsa'), undefined, 'not again before a pause')
  clock.nowMs += 5000
  t.ok(await keys.find('rsa'))
})

await t.test('takes a provider that does not answer, or something else, for one that is away', async (t) => {
  const { provider, keys, events, clock } = await open(t, { timeoutMs: 50 })
  const responses: Record<string, IdentityProvider['respond']> = {
    'no answer': () => undefined,
    'an error': () => ({ status: 500, body: '{"keys":[]}' }),
    'no JSON': () => ({ body: '<html>' }),
    'no set': () => ({ body: '[]' }),
    'keys that are no list': () => ({ body: '{"keys":{}}' }),
    'too much': () => ({ body: JSON.stringify({ keys: [rsa.jwk], more: 'x'.repeat(300_000) }) }),
    elsewhere: () => ({ status: 302, headers: { location: provider.url } }),
  }
  for (const [what, respond] of Object.entries(responses)) {
    provider.respond = respond
    clock.nowMs += 5000
    t.equal(await keys.find('rsa'), undefined, what)
  }
  t.equal(events.filter((event) => event === 'identity-provider-away').length, Object.keys(responses).length)
  provider.respond = undefined
  clock.nowMs += 5000
  t.ok(await keys.find('rsa'))
})

await t.test(
  'leaves out keys that no token may be verified with, and what is behind the bound',
  async (t) => {
    const { provider, keys, events } = await open(t)
    const named = (kid: string, fields: object): object => ({ ...rsa.jwk, kid, ...fields })
    const unusable = {
      secret: { kty: 'oct', k: 'c2VjcmV0', alg: 'HS256', kid: 'secret' },
      encryption: named('encryption', { use: 'enc' }),
      pss: named('pss', { alg: 'PS256' }),
      hmac: named('hmac', { alg: 'HS256' }),
      short: named('short', { n: rsa.jwk.n?.slice(0, 171) }),
      curve: { ...ec.jwk, kid: 'curve', crv: 'P-384' },
      broken: { ...ec.jwk, kid: 'broken', x: 'AA' },
    }
    const filler = Array.from({ length: 100 }, () => null)
    provider.keys = [
      ...Object.values(unusable),
      rsa.jwk,
      { ...ec.jwk, kid: 'rsa' },
      ...filler,
      ed.jwk,
    ] as never
    t.equal((await keys.find('rsa'))?.algorithm, 'RS256', 'the first of its name')
    for (const id of [...Object.keys(unusable), 'ed']) t.equal(await keys.find(id), undefined, id)
    provider.keys = []
    await keys.close()
    t.strictSame(events, ['identity-keys'])
  },
)

await t.test('says that a provider has no key to use', async (t) => {
  const { provider, keys } = await open(t)
  provider.keys = []
  t.equal(await keys.find('rsa'), undefined)
  t.equal(await keys.find(undefined), undefined)
})

await t.test('gives up a fetch under way when it ends', async (t) => {
  const { provider, keys, events } = await open(t)
  provider.respond = () => undefined
  const asked = keys.find('rsa')
  await until(() => provider.count === 1)
  await keys.close()
  t.equal(await asked, undefined)
  t.equal(await keys.find('rsa'), undefined)
  t.strictSame([provider.count, events], [1, []])
})
