import t from 'tap'
import { AuditGate } from '../../src/auth/audit-gate.ts'

await t.test('lets so many of each kind through, and counts the others', async (t) => {
  const clock = { nowMs: 0 }
  const gate = new AuditGate({ burst: 2, perMinute: 60, now: () => clock.nowMs })
  const admit = (count: number): (number | undefined)[] =>
    Array.from({ length: count }, () => gate.admit('refused'))
  t.strictSame(admit(5), [0, 0, undefined, undefined, undefined])
  t.equal(gate.admit('login'), 0, 'another kind has its own')
  clock.nowMs += 1000
  t.strictSame(admit(2), [3, undefined])
  t.strictSame(gate.omitted(), [['refused', 1]])
  t.strictSame(gate.omitted(), [], 'said once')
  clock.nowMs += 3_600_000
  t.strictSame(admit(3), [0, 0, undefined], 'a long rest earns no more than the burst')
})
