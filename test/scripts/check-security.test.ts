import t from 'tap'
import { faultsOf, faultsOfGuards, threatsOf } from '../../scripts/check-security.ts'
import { without, type Guard } from '../../scripts/guards.ts'

const TABLE = `# Security

## Threat model

| threat | what stops it | test |
| --- | --- | --- |
| a thief | a lock | \`test/a.test.ts\`: keeps it shut<br>\`test/b.test.ts\`: says "no" |
| a fire | | |

<!--
| a flood | a dam | \`test/none.test.ts\`: holds |
-->

## Reporting

| by | mail |
| --- | --- |
| a | b |
`

await t.test('reads the rows of the threat model, and of nothing else', async (t) => {
  t.strictSame(threatsOf(TABLE), [
    {
      threat: 'a thief',
      tests: [
        { file: 'test/a.test.ts', title: 'keeps it shut' },
        { file: 'test/b.test.ts', title: 'says "no"' },
      ],
    },
    { threat: 'a fire', tests: [] },
  ])
})

await t.test('tells of rows without a test, and of tests that are not there', async (t) => {
  const threats = threatsOf(TABLE)
  const many = Array.from({ length: 10 }, () => threats[0]!)
  const files = new Map([
    ['test/a.test.ts', "t.test('keeps it shut', …)"],
    ['test/b.test.ts', `t.test('says "no"', …)`],
  ])
  t.same(
    faultsOf(many, (file) => files.get(file)),
    [],
  )
  t.same(
    faultsOf([...many, threats[1]!], (file) => files.get(file)),
    ['a fire: names no test'],
  )
  files.set('test/a.test.ts', "t.test('keeps it shut on Sundays', …)")
  files.delete('test/b.test.ts')
  t.same(
    faultsOf(threats, (file) => files.get(file)),
    [
      'a thief: test/a.test.ts has no test "keeps it shut"',
      'a thief: there is no test/b.test.ts',
      'a fire: names no test',
      'only 2 threats seen',
    ],
  )
})

await t.test('tells of tests without a guard, and of guards that cannot be taken out', async (t) => {
  const threats = threatsOf(TABLE)
  const lock: Guard = { test: 'test/a.test.ts: keeps it shut', source: 'src/lock.ts', take: 'turnKey()' }
  const word: Guard = { test: 'test/b.test.ts: says "no"', source: 'src/word.ts', take: "'no'", put: "'yes'" }
  const files = new Map([
    ['src/lock.ts', 'turnKey()\nclose()'],
    ['src/word.ts', "say('no')"],
  ])
  const faults = (...guards: Guard[]) => faultsOfGuards(threats, guards, (file) => files.get(file))
  t.same(faults(lock, word), [])
  t.same(faults(lock, word, { ...lock, take: 'close()' }), [], 'more than one of a test')
  t.same(faults(word), ['a thief: no guard is named for test/a.test.ts: keeps it shut'])
  t.same(faults(lock, word, { ...lock, test: 'test/a.test.ts: keeps it' }), [
    'the guards: no threat names test/a.test.ts: keeps it',
  ])
  files.set('src/lock.ts', 'turnKey()\nturnKey()')
  files.delete('src/word.ts')
  t.same(faults(lock, word), [
    'the guards: src/lock.ts holds 2 times: turnKey()',
    "the guards: src/word.ts holds 0 times: 'no'",
  ])
})

await t.test('takes a guard out of the text that holds it once, and puts in what it says', async (t) => {
  const guard: Guard = { test: '', source: 'src/a.ts', take: 'if (isOpen) close()' }
  t.equal(without(guard, 'begin()\nif (isOpen) close()\nend()'), 'begin()\n\nend()')
  t.equal(without({ ...guard, put: 'stay($&)' }, 'if (isOpen) close()'), 'stay($&)')
  for (const text of ['', 'if (isOpen) close()if (isOpen) close()']) t.throws(() => without(guard, text))
})
