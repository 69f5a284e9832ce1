import t from 'tap'
import { AuditGate } from '../../src/auth/audit-gate.ts'

await t.test('lets so many of each kind through, and counts the others', async (t) => {
  const clock = { nowMs: 0 }
  const gate = new AuditGate({ burst: 2, perMinute: 60, now: () => clock.nowMs })
  const admit = (count: number): (number | undefined)[] =>
    Array.from({ length: count }, () => gate.admit({ kind: 'refused', source: '' }))
  t.strictSame(admit(5), [0, 0, undefined, undefined, undefined])
  t.equal(gate.admit({ kind: 'login', source: '' }), 0, 'another kind has its own')
  clock.nowMs += 1000
  t.strictSame(admit(2), [3, undefined])
  t.strictSame(gate.omitted(), [['refused', 1]])
  t.strictSame(gate.omitted(), [], 'said once')
  clock.nowMs += 3_600_000
  t.strictSame(admit(3), [0, 0, undefined], 'a long rest earns no more than the burst')
})

await t.test('lets one source use up what there is for itself, and not what there is for all', async (t) => {
  const clock = { nowMs: 0 }
  const gate = new AuditGate({ burst: 10, perMinute: 60, perSource: 2, now: () => clock.nowMs })
  const admit = (source: string, count: number): (number | undefined)[] =>
    Array.from({ length: count }, () => gate.admit({ kind: 'refused', source }))
  t.strictSame(admit('mallory', 1000).slice(0, 4), [0, 0, undefined, undefined])
  t.strictSame(admit('192.0.2.1', 3), [998, 0, undefined])
  t.equal(gate.admit({ kind: 'login', source: 'mallory' }), 0, 'of another kind')
  clock.nowMs += 60_000
  t.strictSame(admit('mallory', 1), [1])
})

await t.test('keeps no privileged one out for a flood of others, but for its own', async (t) => {
  const gate = new AuditGate({ burst: 1, perMinute: 60, perSource: 2, now: () => 0 })
  for (let i = 0; i < 5; i += 1) gate.admit({ kind: 'login', source: `user-${i}` })
  const root = { kind: 'login', source: 'root', isPrivileged: true } as const
  t.strictSame(
    [1, 2, 3].map(() => gate.admit(root)),
    [4, 0, undefined],
  )
})
