import t from 'tap'
import { flag, integer, list, matching } from '../../src/config/setting.ts'

await t.test('a whole number lies within its bounds, both included', async (t) => {
  const parse = integer(10, 100)
  t.equal(parse('10'), 10)
  t.equal(parse('100'), 100)
  t.equal(parse('0010'), 10)
  for (const text of ['9', '101', '1e2', '50.5', '-20', ' 50', '0x32', 'fifty', '9'.repeat(16)]) {
    t.throws(() => parse(text), { message: 'a whole number from 10 to 100' }, text)
  }
})

await t.test('a flag is said in one of the usual ways', async (t) => {
  for (const text of ['1', 'true', 'on', 'yes']) t.equal(flag(text), true, text)
  for (const text of ['0', 'false', 'off', 'no']) t.equal(flag(text), false, text)
  for (const text of ['TRUE', 'y', '2', ' on']) t.throws(() => flag(text), { message: 'on or off' }, text)
})

await t.test('a text fits its pattern, or is told what it should be', async (t) => {
  const parse = matching(/^a+$/, 'some of the letter a')
  t.equal(parse('aaa'), 'aaa')
  t.throws(() => parse('b'), { message: 'some of the letter a' })
})

await t.test('a list is parsed entry by entry, spaces and empty entries aside', async (t) => {
  t.same(list(integer(0, 9))('1, 2,,3 ,'), [1, 2, 3])
  t.same(list(String)(''), [])
  t.throws(() => list(integer(0, 9))('1,20'), { message: 'a whole number from 0 to 9' })
})
