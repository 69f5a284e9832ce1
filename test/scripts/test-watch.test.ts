import t from 'tap'
import { TestWatch } from '../../scripts/test-watch.ts'

/** What tap writes. */
const TAP = String.raw`TAP version 14
# Subtest: keeps it shut
    ok 1 - the door
    # Subtest: at night
        ok 1 - the gate
        1..1
    ok 2 - at night # time=1.2ms
    1..2
ok 1 - keeps it shut # time=3.4ms

# Subtest: says no to (a) user \# 1
    ok 1 - should be equal
    not ok 2 - should match
    ok 3 - and goes on
    1..3
not ok 2 - says no to (a) user \# 1 # time=5ms
1..2
`

/** After each line: nothing known, passed or failed. */
function watched(title: string, text = TAP): { readonly ending: string; readonly failedAt: number } {
  const watch = new TestWatch(title)
  let failedAt = -1
  for (const [i, line] of text.split('\n').entries()) {
    watch.read(line)
    if (watch.hasFailed && failedAt < 0) failedAt = i
  }
  const ending = watch.hasFailed ? 'failed' : watch.hasPassed ? 'passed' : 'unknown'
  return { ending, failedAt }
}

await t.test('knows whether a test passed, wherever it stands', async (t) => {
  t.equal(watched('keeps it shut').ending, 'passed')
  t.equal(watched('at night').ending, 'passed')
  t.equal(watched('keeps it').ending, 'unknown')
})

await t.test('knows of a failure before the test has ended, and of no other test', async (t) => {
  const lines = TAP.split('\n')
  const title = 'says no to (a) user # 1'
  t.same(watched(title), { ending: 'failed', failedAt: lines.indexOf('    not ok 2 - should match') })
  t.equal(watched('should be equal').ending, 'passed')
})

await t.test('knows a failure of a test that failed as a whole', async (t) => {
  t.equal(watched('hangs', '# Subtest: hangs\nnot ok 1 - hangs # time=30000ms').ending, 'failed')
})

await t.test('knows all that a template stands for, of which one may fail', async (t) => {
  const title = 'lets the role ${role} in'
  t.equal(watched(title, 'ok 1 - lets the role user in\nok 2 - lets the role admin in').ending, 'passed')
  t.equal(watched(title, 'ok 1 - lets the role user in\nnot ok 2 - lets the role admin in').ending, 'failed')
  t.equal(watched(title, 'ok 1 - lets the role user out').ending, 'unknown')
})

await t.test('knows whether the test began, and not only another', async (t) => {
  const watch = new TestWatch('keeps it shut')
  watch.read('TAP version 14')
  t.equal(watch.hasBegun, false)
  watch.read('# Subtest: another')
  t.equal(watch.hasBegun, false)
  watch.read('# Subtest: keeps it shut')
  t.equal(watch.hasBegun, true)
})
