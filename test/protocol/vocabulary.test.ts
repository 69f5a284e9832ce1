import t from 'tap'
import { CLOSE } from '../../protocol/close-codes.ts'
import { ProtocolViolation, type ViolationCode, VIOLATIONS, violation } from '../../protocol/errors.ts'
import { header } from '../../protocol/frame.ts'
import { negotiateVersion } from '../../protocol/version.ts'

const CODES = Object.keys(VIOLATIONS).filter((code): code is ViolationCode => code in VIOLATIONS)

await t.test('finds the first of repeated headers, by exact name, and never a value', async (t) => {
  const headers = ['a', 'b', 'b', '1', 'b', '2']
  t.equal(header(headers, 'b'), '1')
  t.equal(header(headers, 'B'), undefined)
  t.equal(header([], 'a'), undefined)
})

await t.test('agrees on the highest common version; none offered is 1.0', async (t) => {
  t.equal(negotiateVersion(undefined), '1.0')
  t.equal(negotiateVersion('1.0,1.1,1.2'), '1.2')
  t.equal(negotiateVersion('1.1, 1.0'), '1.1')
  t.equal(negotiateVersion('2.0,1.0'), '1.0')
  t.equal(negotiateVersion('2.0'), undefined)
  t.equal(negotiateVersion(''), undefined)
})

await t.test('a violation carries the message and close code of its row', async (t) => {
  for (const code of CODES) {
    const fault = violation(code)
    t.ok(fault instanceof ProtocolViolation)
    t.match(fault, { name: 'ProtocolViolation', code, ...pick(code) })
  }
  t.equal(
    violation('missing-header', 'SEND needs destination').message,
    'missing header: SEND needs destination',
  )
})

function pick(code: ViolationCode): { message: string; closeCode: number } {
  const { message, closeCode } = VIOLATIONS[code]
  return { message, closeCode }
}

await t.test('says what clients rely on', async (t) => {
  t.match(violation('authentication-failed'), { message: 'authentication failed', closeCode: 1002 })
  t.equal(violation('frame-too-large').closeCode, 1009)
  t.equal(violation('too-many-headers').closeCode, 1002)
  t.equal(violation('header-too-long').closeCode, 1002)
  t.equal(violation('too-slow').closeCode, 4500)
  t.equal(violation('too-many-sessions').closeCode, CLOSE.policy)
})
