import t from 'tap'
import { CallerKeys } from '../../src/http/edge/caller-keys.ts'

/** Tokens are good that are the name of somebody with a star. */
function rig(options: { maxWorthless?: number; maxKnown?: number } = {}) {
  const clock = { nowMs: 0 }
  const looked: string[] = []
  const keys = new CallerKeys({
    maxWorthless: 3,
    ...options,
    now: () => clock.nowMs,
    authenticator: {
      async authenticate({ bearer = '' }) {
        looked.push(bearer)
        if (bearer === 'away') throw new Error('the database is away')
        return bearer.endsWith('*') ? { name: bearer.slice(0, -1), roles: ['user'] } : undefined
      },
    },
  })
  return { keys, clock, looked }
}

await t.test('counts by the user of a good token, else by the address', async (t) => {
  const { keys } = rig()
  t.equal(await keys.of(undefined, '192.0.2.1'), 'address 192.0.2.1')
  t.equal(await keys.of('alice*', '192.0.2.1'), 'user alice')
  t.equal(await keys.of('alice', '2001:db8::1'), 'address 2001:db8:0:0::/64')
})

await t.test('looks at a good token once in a while, however often it comes', async (t) => {
  const { keys, clock, looked } = rig()
  const ask = (): Promise<string[]> =>
    Promise.all(Array.from({ length: 100 }, () => keys.of('alice*', '192.0.2.1')))
  t.same(new Set([...(await ask()), ...(await ask())]), new Set(['user alice']))
  t.equal(looked.length, 1)
  clock.nowMs = 10_000
  await ask()
  t.equal(looked.length, 2)
})

await t.test(
  'looks at so many worthless tokens of an address, and then at none that it does not know',
  async (t) => {
    const { keys, clock, looked } = rig()
    await keys.of('bob*', '192.0.2.1')
    for (const made of ['a', 'b', 'c', 'd', 'alice*']) {
      t.equal(await keys.of(made, '192.0.2.1'), 'address 192.0.2.1', made)
      if (made === 'c') t.equal(await keys.of('bob*', '192.0.2.1'), 'user bob')
    }
    t.same(looked, ['bob*', 'a', 'b', 'c'])
    t.equal(await keys.of('alice*', '192.0.2.2'), 'user alice', 'elsewhere it is')
    clock.nowMs = 60_000
    t.equal(await keys.of('alice*', '192.0.2.1'), 'user alice')
  },
)

await t.test('holds nothing against anybody while nobody can tell', async (t) => {
  const { keys, looked } = rig({ maxWorthless: 1 })
  for (let i = 0; i < 3; i += 1) t.equal(await keys.of('away', '192.0.2.1'), 'address 192.0.2.1')
  t.equal(looked.length, 3)
})

await t.test('remembers so many tokens and no more', async (t) => {
  const { keys, looked } = rig({ maxKnown: 2 })
  for (const name of ['a*', 'b*', 'c*', 'c*', 'b*', 'a*']) await keys.of(name, '192.0.2.1')
  t.same(looked, ['a*', 'b*', 'c*', 'a*'])
})
