import t from 'tap'
import { NameGuard } from '../../src/auth/name-guard.ts'

await t.test('closes a name that was guessed at from many addresses, for a minute', async (t) => {
  let nowMs = 0
  const guard = new NameGuard({ max: 3, now: () => nowMs })
  for (let i = 1; i <= 3; i += 1) {
    t.equal(guard.isClosed('alice', `192.0.2.${i}`), false)
    guard.failed('alice')
  }
  t.equal(guard.isClosed('alice', '192.0.2.9'), true)
  t.equal(guard.isClosed('Alice', '192.0.2.9'), false, 'another name')
  nowMs = 60_000
  t.equal(guard.isClosed('alice', '192.0.2.9'), false)
})

await t.test('lets those go on who logged in from where they are', async (t) => {
  const guard = new NameGuard({ max: 1, maxFamiliar: 2 })
  guard.succeeded('alice', '2001:db8::1')
  guard.failed('alice')
  t.equal(guard.isClosed('alice', '2001:db8::2'), false, 'the same network')
  t.equal(guard.isClosed('alice', '2001:db8:0:1::1'), true)
  guard.succeeded('bob', '192.0.2.1')
  guard.succeeded('alice', '2001:db8::1')
  guard.succeeded('carol', '192.0.2.1')
  guard.failed('bob')
  t.equal(guard.isClosed('bob', '192.0.2.1'), true, 'forgotten, as the oldest of more than are remembered')
  t.equal(guard.isClosed('alice', '2001:db8::1'), false)
})
