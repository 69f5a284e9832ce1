import t from 'tap'
import { faultsOf, threatsOf } from '../../scripts/check-security.ts'

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
