import t from 'tap'
import { Passwords } from '../../src/auth/passwords.ts'

await t.test('knows the right password from a wrong one', async (t) => {
  const passwords = new Passwords({ cost: 1024 })
  const hash = await passwords.hash('s3cret')
  t.match(hash, /^scrypt\$1024\$8\$1\$[\w-]+\$[\w-]+$/)
  t.equal(await passwords.verify('s3cret', hash), true)
  for (const wrong of ['S3cret', 's3cret ', '', 'x'.repeat(1025)]) {
    t.equal(await passwords.verify(wrong, hash), false)
  }
  t.not(await passwords.hash('s3cret'), hash, 'each hash has a salt of its own')
})

await t.test('verifies by the parameters of the hash, whatever today’s are', async (t) => {
  const hash = await new Passwords({ cost: 1024 }).hash('s3cret')
  t.equal(await new Passwords({ cost: 2048 }).verify('s3cret', hash), true)
})

await t.test('takes the same text typed in composed or decomposed letters', async (t) => {
  const passwords = new Passwords({ cost: 1024 })
  t.equal(await passwords.verify('cafe\u0301', await passwords.hash('caf\u00e9')), true)
})

await t.test('says no without a hash, after the same work', async (t) => {
  const passwords = new Passwords({ cost: 65_536 })
  const hash = await passwords.hash('right')
  const cpuOf = async (stored: string | null): Promise<number> => {
    const before = process.cpuUsage()
    t.equal(await passwords.verify('wrong', stored), false)
    const used = process.cpuUsage(before)
    return used.user + used.system
  }
  await cpuOf(hash)
  const [known, unknown] = [await cpuOf(hash), await cpuOf(null)]
  t.ok(unknown > known / 4, `CPU ${unknown} us for an unknown name, ${known} us for a known one`)
})

await t.test('refuses to hash no password, and one too long', async (t) => {
  const passwords = new Passwords({ cost: 1024 })
  await t.rejects(passwords.hash(''), { code: 'invalid-payload' })
  await t.rejects(passwords.hash('\u00e9'.repeat(513)), { code: 'invalid-payload' })
  t.match(await passwords.hash('\u00e9'.repeat(512)), /^scrypt/)
})

await t.test('rejects when the stored hash is none', async (t) => {
  const passwords = new Passwords({ cost: 1024 })
  for (const hash of ['', 'plain', 'scrypt$1024$8$1$$', 'bcrypt$1024$8$1$AAAAAAAAAAAAAAAAAAAAAA$BBBB']) {
    await t.rejects(passwords.verify('x', hash), { code: 'internal' })
  }
  const unusable = `scrypt$1000$8$1$${'A'.repeat(22)}$${'B'.repeat(43)}` // N is no power of two
  await t.rejects(passwords.verify('x', unusable))
})

await t.test('works on a few at once, lets some wait, and refuses the rest', async (t) => {
  const passwords = new Passwords({ cost: 1024, concurrency: 2, maxWaiting: 3 })
  const calls = Array.from({ length: 6 }, async () => {
    const hash = await passwords.hash('x')
    return { hash, running: passwords.running }
  })
  t.equal(passwords.running, 2)
  const results = await Promise.allSettled(calls)
  const done = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.running] : []))
  t.equal(done.length, 5)
  t.ok(Math.max(...done) <= 2 && Math.min(...done) >= 0, `under way after each: ${done.join(', ')}`)
  t.match(results.at(-1), { status: 'rejected', reason: { code: 'too-many-pending' } })
  t.equal(passwords.running, 0)
  t.match(await passwords.hash('x'), /^scrypt/, 'and works on afterwards')
})

await t.test('does no work for those who left while they waited', async (t) => {
  const passwords = new Passwords({ cost: 65_536, concurrency: 1, maxWaiting: 500 })
  const hash = await passwords.hash('x')
  const cpu = process.cpuUsage()
  t.ok(await passwords.verify('x', hash))
  const alone = process.cpuUsage(cpu).user
  let hasLeft = false
  const asker = { isAbandoned: () => hasLeft }
  const running = passwords.verify('x', hash, asker)
  const waiting = Array.from({ length: 499 }, () => passwords.verify('x', hash, asker))
  const stays = passwords.verify('x', hash)
  await t.rejects(passwords.verify('x', hash), { code: 'too-many-pending' })
  hasLeft = true
  const before = process.cpuUsage()
  const newcomer = passwords.verify('x', hash)
  t.equal(await running, true, 'what is under way is finished')
  t.strictSame(new Set(await Promise.all(waiting)), new Set([false]))
  t.strictSame(await Promise.all([stays, newcomer]), [true, true], 'the places of those who left are free')
  t.equal(await passwords.verify('x', hash, asker), false)
  const used = process.cpuUsage(before).user
  t.ok(used < 50 * alone, `CPU ${used} us; one hash ${alone} us`)
  t.equal(passwords.running, 0)
})

await t.test('gives the place on to those who stay, past those who left', async (t) => {
  const passwords = new Passwords({ cost: 1024, concurrency: 1 })
  const hash = await passwords.hash('x')
  let hasLeft = false
  const asker = { isAbandoned: () => hasLeft }
  const [first, second, third] = [asker, asker, {}].map((each) => passwords.verify('x', hash, each))
  hasLeft = true
  t.strictSame(await Promise.all([first, second, third]), [true, false, true])
  t.equal(passwords.running, 0)
})

await t.test('lets addresses take turns, and of each only a few wait', async (t) => {
  const passwords = new Passwords({ cost: 1024, concurrency: 1 })
  const hash = await passwords.hash('x')
  const done: string[] = []
  const verify = async (address: string): Promise<void> => {
    t.ok(await passwords.verify('x', hash, { address }))
    done.push(address)
  }
  const storm = Array.from({ length: 9 }, () => verify('192.0.2.1'))
  await t.rejects(verify('192.0.2.1'), { code: 'too-many-pending' }, 'one is under way and 8 wait')
  await t.rejects(passwords.hash('x', { address: '::ffff:192.0.2.1' }), { code: 'too-many-pending' })
  await Promise.all([verify('192.0.2.2'), verify('192.0.2.3')])
  t.ok(done.length <= 5, `others were served after ${done.join(', ')}`)
  await Promise.all(storm)
  await verify('192.0.2.1')
})

await t.test('makes room where those of an address who wait have left', async (t) => {
  const passwords = new Passwords({ cost: 1024, concurrency: 1, maxWaitingPerAddress: 1 })
  const hash = await passwords.hash('x')
  const address = '192.0.2.1'
  const running = passwords.verify('x', hash, { address })
  let hasLeft = false
  const waiting = passwords.verify('x', hash, { address, isAbandoned: () => hasLeft })
  await t.rejects(passwords.verify('x', hash, { address }), { code: 'too-many-pending' })
  hasLeft = true
  t.strictSame(await Promise.all([running, passwords.verify('x', hash, { address }), waiting]), [
    true,
    true,
    false,
  ])
  await t.rejects(passwords.hash('x', { isAbandoned: () => true }), { code: 'invalid-payload' })
})
