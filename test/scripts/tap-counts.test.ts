import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { ROOT } from '../../scripts/source-files.ts'
import { countTap } from '../../scripts/tap-counts.ts'

/** Test files that end in every way there is, and what tap itself writes of them. */
const FILES = {
  'package.json': '{"type":"module"}',
  'passes.test.js': `import t from 'tap'
    t.test('first # of them', async (t) => { t.ok(1); await t.test('inner', async (t) => t.ok(1)) })
    t.test('second', async (t) => { t.ok(1); t.ok(1) })`,
  'fails.test.js': `import t from 'tap'
    t.test('good', async (t) => t.ok(1))
    t.test('bad', async (t) => t.equal(1, 2))
    t.test('throws', async () => { throw new Error('no') })`,
  'crashes.test.js': `import t from 'tap'
    t.test('fine so far', async (t) => t.ok(1))
    setTimeout(() => { throw new Error('past its tests') })`,
  'skips.test.js': `import t from 'tap'
    t.test('not today', { 'skip': 'no database' }, async (t) => t.ok(1))
    t.test('some day', { 'todo': true }, async (t) => t.ok(1))`,
  'empty.test.js': 'process.exit(3)',
}

await t.test('counts what tap writes of files that pass, fail, crash and skip', async (t) => {
  const folder = t.testdir(FILES)
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/TAP|NODE_OPT/.test(name)))
  const files = Object.keys(FILES).filter((name) => name.endsWith('.test.js'))
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/.bin/tap'), 'run', '--reporter=tap', '--disable-coverage', ...files],
    { cwd: folder, env, encoding: 'utf8' },
  )
  const { passed, failed, skipped } = countTap(stdout)
  t.equal(passed, 4, stderr)
  t.same(failed.toSorted(), ['bad', 'empty.test.js', 'past its tests', 'throws'])
  t.equal(skipped.length, 2)
  t.match(skipped.join('\n'), /not today[^]*some day/)
})

await t.test('counts nothing where nothing ran', async (t) => {
  t.same(countTap('TAP version 14\n1..0 # no tests found\n'), { passed: 0, failed: [], skipped: [] })
  t.same(countTap(''), { passed: 0, failed: [], skipped: [] })
})
